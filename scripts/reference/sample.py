"""Prints the ids that a sample of three of the ids 0 to 999 has with seed 0, for crates/data/tests/examples.rs.

    pip install blake3
    python scripts/reference/sample.py
"""

from blake3 import blake3

ranked = sorted(range(1000), key=lambda row: (blake3(f"sample 0 {row}".encode()).digest(), row))
print(sorted(ranked[:3]))
