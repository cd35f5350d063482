//! Whether two builds of one commit are the same program: builds `zephyr` twice, in two folders of different
//! names, and compares the files byte by byte.
//!
//! What is built is the commit, not what is changed beside it. The compilers are told to write other folders
//! in place of those of this machine, so a program that names one of these fails too. Both builds use this
//! machine's compilers, packages and system libraries: others need the same, as `rust-toolchain.toml`,
//! `Cargo.lock` and `package-lock.json` pin them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::interface;
use crate::long;
use crate::machine::machine;
use crate::process::{cargo, run};
use crate::steps::Seconds;
use crate::tools::{self, executable};
use crate::workspace::{cargo_home, commit_time, root, target_dir};

/// Their lengths differ, since a path of another length moves what comes after it.
const FOLDERS: [&str; 2] = ["one", "and-another-one"];

/// Builds twice, compares, and writes the result into `docs/long-tests.md`.
pub(crate) fn reproducible() -> Result<()> {
    tools::c_compiler()?;
    tools::node()?;
    let start = Instant::now();
    let parent = target_dir()?.join("reproducible");
    let time = commit_time(root())?;
    let machine = machine();
    // Both before the first build, which takes so long that there may be another commit after it.
    for name in FOLDERS {
        clone(&parent.join(name))?;
    }
    let mut programs = Vec::new();
    for name in FOLDERS {
        programs.push(build(&parent.join(name), &time)?);
    }
    let mut contents = Vec::new();
    for program in &programs {
        contents.push(fs::read(program).with_context(|| program.display().to_string())?);
    }
    for (content, program) in contents.iter().zip(&programs) {
        println!("{}  {}", hash(content), program.display());
    }
    let result = match difference(&contents[0], &contents[1]) {
        None => format!(
            "The same, {} bytes, SHA-256 {}",
            contents[0].len(),
            hash(&contents[0])
        ),
        Some(difference) => format!("**Different**: {difference}"),
    };
    long::keep_section(
        "Reproducible build",
        &format!(
            "Written by `cargo xtask reproducible`: `zephyr`, built twice from one commit in two folders.\n\n{}\n\n\
             {result}; both builds took {}.",
            machine,
            Seconds(start.elapsed())
        ),
    )?;
    println!("{result}");
    if contents[0] != contents[1] {
        bail!("the two builds differ: see {}", parent.display());
    }
    for folder in [root(), cargo_home()?.as_path()] {
        if names(&contents[0], folder) {
            bail!("the program names {}", folder.display());
        }
    }
    // They are large, and equal ones tell nothing more.
    fs::remove_dir_all(parent)?;
    Ok(())
}

/// Puts the newest commit into a folder of its own.
fn clone(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let clone = ["clone", "--quiet", "--no-hardlinks"];
    run(Command::new("git").args(clone).arg(root()).arg(folder))
}

/// Builds what is in that folder. Returns the program.
fn build(folder: &Path, time: &str) -> Result<PathBuf> {
    let target = folder.join("target");
    interface::build_in(folder, &target)?;
    let home = cargo_home()?;
    let replaced = [(folder, "/zephyr"), (home.as_path(), "/cargo")];
    run(cargo()
        .args(["build", "--release", "--locked"])
        .args(["--package", "zephyr-cli", "--bin", "zephyr"])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(&replaced))
        .env("CFLAGS", c_flags(&replaced))
        .env("CXXFLAGS", c_flags(&replaced))
        .env("SOURCE_DATE_EPOCH", time)
        .current_dir(folder))?;
    Ok(target.join("release").join(executable("zephyr")))
}

/// Cargo's own `trim-paths` is not stable.
fn rust_flags(replaced: &[(&Path, &str)]) -> String {
    let flag = |(from, to): &(&Path, &str)| format!("--remap-path-prefix={}={to}", from.display());
    let flags: Vec<String> = replaced.iter().map(flag).collect();
    flags.join("\u{1f}")
}

/// For GCC and Clang. What assertions name is the path of their file.
fn c_flags(replaced: &[(&Path, &str)]) -> String {
    let flag = |(from, to): &(&Path, &str)| format!("-ffile-prefix-map={}={to}", from.display());
    let flags: Vec<String> = replaced.iter().map(flag).collect();
    flags.join(" ")
}

fn hash(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where two files first differ.
fn difference(one: &[u8], other: &[u8]) -> Option<String> {
    if one == other {
        return None;
    }
    let differing = one.iter().zip(other).filter(|(one, other)| one != other);
    let count = differing.count();
    let first = one.iter().zip(other).position(|(one, other)| one != other);
    let first = first.unwrap_or_else(|| one.len().min(other.len()));
    let lengths = format!("{} and {} bytes", one.len(), other.len());
    Some(format!(
        "{lengths}, {count} differ, the first at {first:#x}"
    ))
}

/// Whether the program has the path of this folder in it.
fn names(program: &[u8], folder: &Path) -> bool {
    let folder = folder.to_string_lossy();
    let folder = folder.as_bytes();
    // `/`, or nothing, is in every program.
    folder.len() > 1 && program.windows(folder.len()).any(|part| part == folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_of_two_programs_is_found() {
        assert_eq!(difference(b"zephyr", b"zephyr"), None);
        let shorter = difference(b"zephyr", b"zeph").unwrap();
        let other = difference(b"zephyr", b"zebhir").unwrap();

        assert_eq!(shorter, "6 and 4 bytes, 0 differ, the first at 0x4");
        assert_eq!(other, "6 and 6 bytes, 2 differ, the first at 0x2");
    }

    #[test]
    fn a_program_that_names_the_folder_of_its_builder_is_noticed() {
        let program = b"\x7fELF...panicked at /home/me/zephyr/crates/core/src/lib.rs";

        assert!(names(program, Path::new("/home/me/zephyr")));
        assert!(!names(program, Path::new("/home/you/zephyr")));
        assert!(!names(program, Path::new("/")));
    }

    #[test]
    fn every_folder_is_replaced_for_both_compilers() {
        let replaced = [(Path::new("/a b"), "/zephyr"), (Path::new("/c"), "/cargo")];

        let rust = rust_flags(&replaced);
        let c = c_flags(&replaced[1..]);

        assert_eq!(
            rust,
            "--remap-path-prefix=/a b=/zephyr\u{1f}--remap-path-prefix=/c=/cargo"
        );
        assert_eq!(c, "-ffile-prefix-map=/c=/cargo");
    }
}
