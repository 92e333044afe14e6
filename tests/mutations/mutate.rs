//! Mutations by a seed.

/// SplitMix64 (Steele et al. 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// What a file consists of: this decides which numbers are made huge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Text,
    Binary,
}

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999999",
    "1e308",
    "1e-320",
];
const WORDS: [&[u8]; 14] = [
    b"\0",
    b"\xff\xfe",
    b"\x1b[2J",
    b"\"",
    b"\\u0000",
    b"null",
    b"[]",
    b"{}",
    b"\t",
    b"\n\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"true",
    b"/../..",
];
const BYTES: [&[u8]; 8] = [
    &[0xff; 8],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0x80],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0; 8],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[1, 0, 0, 0, 1, 0, 0, 0],
    &[0x80],
];

/// One to three mutations.
pub fn mutate(whole: &[u8], content: Content, random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(3) {
        step(&mut bytes, content, random);
    }
    bytes
}

fn step(bytes: &mut Vec<u8>, content: Content, random: &mut Random) {
    let place = random.below(bytes.len());
    let stretch = |random: &mut Random, bytes: &[u8]| {
        let from = random.below(bytes.len());
        from..(from + 1 + random.below(64)).min(bytes.len())
    };
    match random.below(8) {
        // Flips.
        0 | 1 => {
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
        2 => bytes.truncate(place),
        // A stretch is repeated, elsewhere, or left out.
        3 => {
            let part = bytes[stretch(random, bytes)].to_vec();
            let times = random.one(&[&1, &2, &10, &1000]);
            bytes.splice(place..place, part.repeat(*times));
        }
        4 => {
            let part = stretch(random, bytes);
            bytes.drain(part);
        }
        5 => {
            let word = random.one(&WORDS);
            bytes.splice(place..place, word.iter().copied());
        }
        // Numbers made huge.
        _ if content == Content::Text => {
            let digits: Vec<usize> = (0..bytes.len())
                .filter(|&at| bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit()))
                .collect();
            if let Some(&from) = digits.get(random.below(digits.len())) {
                let length = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let number = random.one(&NUMBERS);
                bytes.splice(from..from + length, number.bytes());
            }
        }
        _ => {
            for (byte, new) in bytes.iter_mut().skip(place).zip(random.one(&BYTES)) {
                *byte = *new;
            }
        }
    }
}
