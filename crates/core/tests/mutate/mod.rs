//! Inputs made of a corpus by random edits, the same in every run, for tests that must hold for all.
//!
//! In place of a fuzzer that follows coverage, which needs a nightly compiler: the corpus has an example
//! of every branch, and the dictionary the words between them. `engine` includes this file too.
#![allow(clippy::unwrap_used, reason = "only tests call it")]
#![allow(
    clippy::disallowed_methods,
    reason = "the clock bounds the long tier and decides nothing"
)]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::path::Path;
use std::time::{Duration, Instant};

/// Stands in dictionaries: no message may repeat it.
pub const SECRET: &str = "sk-ant-planted-0123456789";

/// Most edits of one input.
const EDITS: usize = 6;
/// Longest input.
const LENGTH: usize = 64 * 1024;

/// What inputs are made of.
pub struct Corpus {
    examples: Vec<Vec<u8>>,
    dictionary: Vec<Vec<u8>>,
}

impl Corpus {
    /// The examples in these folders below the crate's `tests/corpus`.
    pub fn of(folders: &[&str], dictionary: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        let mut files: Vec<_> = folders
            .iter()
            .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
            .map(|file| file.unwrap().path())
            .collect();
        files.sort(); // Or the same seed would mean another input elsewhere.
        let examples = files.iter().map(|file| fs::read(file).unwrap()).collect();
        Self::new(examples, dictionary)
    }

    pub fn new(examples: Vec<Vec<u8>>, dictionary: &[&str]) -> Self {
        let words = dictionary.iter().chain([&SECRET]);
        Self {
            examples,
            dictionary: words.map(|word| word.as_bytes().to_vec()).collect(),
        }
    }

    pub fn examples(&self) -> &[Vec<u8>] {
        &self.examples
    }

    /// Every example, then `rounds` inputs that are the same every time.
    pub fn each(&self, rounds: usize, mut test: impl FnMut(&[u8], &mut Random)) {
        let mut random = Random(0x5EED);
        for example in &self.examples {
            run(example.clone(), &mut random, &mut test);
        }
        for _ in 0..rounds {
            run(self.input(&mut random), &mut random, &mut test);
        }
    }

    /// New inputs for so long; returns how many.
    pub fn for_long(&self, time: Duration, mut test: impl FnMut(&[u8], &mut Random)) -> u64 {
        let seed = RandomState::new().hash_one(0);
        let (mut random, until) = (Random(seed), Instant::now() + time);
        let mut inputs = 0;
        while Instant::now() < until {
            run(self.input(&mut random), &mut random, &mut test);
            inputs += 1;
        }
        inputs
    }

    fn input(&self, random: &mut Random) -> Vec<u8> {
        let mut input = random.of(&self.examples).clone();
        for _ in 0..=random.below(EDITS) {
            self.edit(&mut input, random);
        }
        input.truncate(LENGTH);
        input
    }

    fn edit(&self, input: &mut Vec<u8>, random: &mut Random) {
        let at = random.below(input.len() + 1);
        let longest = *random.of(&[2, 9, 200]);
        let to = (at + random.below(longest)).min(input.len());
        match random.below(9) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => input[at] = *random.of(b"\0\n\r\"\\{}[],: 09-.eE\x7f\x80\xff"),
            2 => drop(input.drain(at..to)),
            3 => input.truncate(at),
            4 => {
                let copy = input[at..to].to_vec();
                let times = random.below(20);
                drop(input.splice(at..at, copy.repeat(times)));
            }
            5 => {
                let other = random.of(&self.examples);
                let from = random.below(other.len() + 1);
                drop(input.splice(at..to, other[from..].iter().copied()));
            }
            6 => {
                let number = *random.of(&["0", "-1", "1e999", "18446744073709551616", "0.5"]);
                drop(input.splice(at..to, number.bytes()));
            }
            _ => {
                let word = random.of(&self.dictionary);
                drop(input.splice(at..to, word.iter().copied()));
            }
        }
    }
}

/// Shows its input if the test of it panics.
struct Shown(Vec<u8>);

impl Drop for Shown {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input: b\"{}\"", self.0.escape_ascii());
        }
    }
}

fn run(input: Vec<u8>, random: &mut Random, test: &mut impl FnMut(&[u8], &mut Random)) {
    let shown = Shown(input);
    test(&shown.0, random);
}

/// SplitMix64.
pub struct Random(u64);

impl Random {
    /// The same numbers every time.
    pub fn of_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = u64::try_from(bound).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }

    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// Cuts bytes into pieces.
    pub fn pieces<'a>(&mut self, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let size = *self.of(&[1, 7, 100, 5000]);
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((1 + self.below(size)).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}
