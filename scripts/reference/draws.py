"""Bounded draws from ChaCha8 with the key 01 01 … 01, in plain Python: the values in crates/random/src/lib.rs.

Run: python3 scripts/reference/draws.py
"""

MASK = 0xFFFFFFFF
CONSTANTS = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)]


def block(key, counter):
    """The 16 words of one block (RFC 8439 with 8 rounds, a 64-bit counter and stream 0)."""
    state = CONSTANTS + key + [counter & MASK, counter >> 32, 0, 0]
    words = state[:]

    def quarter(a, b, c, d):
        for target, other, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[target] = (words[target] + words[other]) & MASK
            word = words[mixed] ^ words[target]
            words[mixed] = ((word << turn) | (word >> (32 - turn))) & MASK

    for _ in range(4):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            quarter(diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4)
    return [(word + first) & MASK for word, first in zip(words, state)]


def numbers(key):
    counter = 0
    while True:
        words = block(key, counter)
        for low, high in zip(words[::2], words[1::2]):
            yield low | high << 32
        counter += 1


BOUNDS = [1, 2, 10, 1000, 1 << 40]
KEY = [0x01010101] * 8
# No draw of these falls into the incomplete last round.
print("below            ", [number % bound for bound, number in zip(BOUNDS, numbers(KEY))])
print("below_in_one_draw", [number * bound >> 64 for bound, number in zip(BOUNDS, numbers(KEY))])
