//! The corpus: examples, and inputs made of them.
#![allow(clippy::unwrap_used, reason = "only tests call it")]
#![allow(
    clippy::disallowed_methods,
    reason = "the clock bounds the long tier and decides nothing"
)]

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::path::Path;
use std::time::{Duration, Instant};

use super::random::Random;

/// A word of every dictionary. No message may repeat it.
pub const SECRET: &str = "sk-ant-planted-0123456789";

/// Most edits of one input.
const EDITS: usize = 6;
/// Longest input, in bytes.
const LENGTH: usize = 64 * 1024;

/// What inputs are made of.
pub struct Corpus {
    examples: Vec<Vec<u8>>,
    dictionary: Vec<Vec<u8>>,
}

impl Corpus {
    /// The files in these folders of `root` as examples.
    pub fn read(root: impl AsRef<Path>, folders: &[&str], dictionary: &[&str]) -> Self {
        let root = root.as_ref();
        let mut files: Vec<_> = folders
            .iter()
            .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
            .map(|file| file.unwrap().path())
            .collect();
        files.sort(); // Otherwise the same seed would mean other inputs on another system.
        let examples = files.iter().map(|file| fs::read(file).unwrap()).collect();
        Self::new(examples, dictionary)
    }

    /// A corpus of these examples.
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

    /// Tests every example, then `rounds` inputs that are the same in every run.
    pub fn each(&self, rounds: usize, mut test: impl FnMut(&[u8], &mut Random)) {
        let mut random = Random::of_seed(0x5EED);
        for example in &self.examples {
            run(example.clone(), &mut random, &mut test);
        }
        for _ in 0..rounds {
            run(self.input(&mut random), &mut random, &mut test);
        }
    }

    /// Tests inputs that are new in every run, for this long. Returns how many.
    pub fn for_long(&self, time: Duration, mut test: impl FnMut(&[u8], &mut Random)) -> u64 {
        let seed = RandomState::new().hash_one(0);
        let (mut random, until) = (Random::of_seed(seed), Instant::now() + time);
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

/// Prints the input if its test panics.
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
