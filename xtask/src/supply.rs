//! Whether everything that the project takes from elsewhere is named by its content, and kept up to date:
//! actions by commit, containers by digest, packages by hash. These are tests alone.
//!
//! The container of `.devcontainer` is an exception: Microsoft replaces it all the time, and it passes no
//! test and builds no release.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::root;

#[test]
fn every_action_is_named_by_its_commit_and_every_container_by_its_digest() {
    let mut actions = 0;
    for file in files() {
        let yaml = file
            .extension()
            .is_some_and(|kind| kind == "yml" || kind == "yaml");
        if !yaml || !file.starts_with(".github") {
            continue;
        }
        for line in read(&file).lines() {
            let line = line.trim().trim_start_matches("- ");
            if let Some(action) = line.strip_prefix("uses: ") {
                actions += 1;
                assert!(named_by_commit(action), "{}: {line}", file.display());
            }
            if let Some(image) = line
                .strip_prefix("container: ")
                .or(line.strip_prefix("image: "))
            {
                assert!(named_by_digest(image), "{}: {line}", file.display());
            }
        }
    }
    assert!(actions > 0, "there are actions");
}

#[test]
fn tags_and_short_commits_name_nothing() {
    let commit = "3d3c42e5aac5ba805825da76410c181273ba90b1";

    assert!(named_by_commit(&format!(
        "actions/checkout@{commit} # v7.0.1"
    )));
    assert!(!named_by_commit(&format!("actions/checkout@{commit}")));
    assert!(!named_by_commit("actions/checkout@v7"));
    assert!(!named_by_commit("actions/checkout@3d3c42e # v7.0.1"));
    assert!(!named_by_digest("rust:1.95-bookworm"));
    assert!(!named_by_digest("rust@sha256:3d3c42e5"));
}

#[test]
fn no_package_of_npm_runs_a_program_while_it_is_installed() {
    let mut folders = 0;
    for file in files() {
        if file.ends_with("package-lock.json") {
            folders += 1;
            let settings = read(&file.with_file_name(".npmrc"));
            let off = settings.lines().any(|line| line == "ignore-scripts=true");
            assert!(off, "{}", file.display());
        }
        // A copy of the lock file has no settings beside it.
        if file.starts_with("xtask") && file.extension().is_some_and(|kind| kind == "rs") {
            for line in read(&file).lines().filter(|line| line.contains("[\"ci\"")) {
                assert!(
                    line.contains("--ignore-scripts"),
                    "{}: {line}",
                    file.display()
                );
            }
        }
    }
    assert!(folders > 0, "there are packages of npm");
}

#[test]
fn every_package_of_python_has_hashes() {
    let lock = read(Path::new("tests/clients/requirements.txt")).replace("\\\n", " ");
    let pinned: Vec<&str> = lock.lines().filter(|line| line.contains("==")).collect();
    let requirements = lock
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());

    assert_eq!(requirements.count(), pinned.len());
    for line in &pinned {
        assert!(line.contains("--hash=sha256:"), "{line}");
    }
    for line in read(Path::new("tests/clients/requirements.in")).lines() {
        let there = pinned.iter().any(|pinned| pinned.starts_with(line));
        assert!(line.starts_with('#') || there, "{line}");
    }
}

#[test]
fn dependabot_looks_after_everything() {
    let settings = read(Path::new(".github/dependabot.yml"));
    let entries: Vec<&str> = settings.split("- package-ecosystem: ").skip(1).collect();
    let looked_after = |ecosystem: &str, folder: &str| {
        entries.iter().any(|entry| {
            let mut lines = entry.lines();
            let same = lines.next() == Some(ecosystem);
            let mut folders = lines.filter_map(|line| {
                let (key, folders) = line.trim().split_once(": ")?;
                key.starts_with("director").then_some(folders)
            });
            same && folders.any(|folders| {
                let folders = folders.trim_matches(['[', ']']).split(", ");
                folders.into_iter().any(|one| one == folder)
            })
        })
    };
    let mut kinds = BTreeSet::new();
    for file in files() {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let (ecosystem, folder) = match name {
            "Cargo.lock" => ("cargo", file.parent()),
            "package-lock.json" => ("npm", file.parent()),
            "requirements.txt" => ("pip", file.parent()),
            "rust-toolchain.toml" => ("rust-toolchain", file.parent()),
            "devcontainer.json" => ("devcontainers", Some(Path::new(""))),
            _ if file.starts_with(".github/workflows") => ("github-actions", Some(Path::new(""))),
            _ => continue,
        };
        kinds.insert(ecosystem);
        let folder = folder
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .replace('\\', "/");
        let folder = format!("/{folder}");
        assert!(looked_after(ecosystem, &folder), "{ecosystem} in {folder}");
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    assert!(!looked_after("cargo", "/nowhere"));
}

/// `owner/action@COMMIT # v1.2.3`: the comment is for people, and Dependabot keeps it true.
fn named_by_commit(action: &str) -> bool {
    let Some((name, version)) = action.split_once(" # v") else {
        return false;
    };
    let commit = name.split_once('@').map_or("", |(_, commit)| commit);
    !version.is_empty() && is_hexadecimal(commit, 40)
}

fn named_by_digest(image: &str) -> bool {
    let digest = image
        .split_once("@sha256:")
        .map_or("", |(_, digest)| digest);
    is_hexadecimal(digest, 64)
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The files of the workspace, as paths in it, without what is built or installed.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() {
                if !["target", "node_modules", ".git", "dist"]
                    .iter()
                    .any(|other| name == *other)
                {
                    folders.push(path);
                }
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
