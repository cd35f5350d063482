//! Puts the interface into the program, if it has been built: every file of `ui/dist`, compressed, and a
//! table of them. It builds nothing itself, so that a plain `cargo build` needs no Node and no network;
//! without the interface the program says how to get it.
//!
//! Not rust-embed: its macro does not see that a file was added, and it unpacks what it compressed before
//! it can be served.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> io::Result<()> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
    let dist = ui.join("dist");
    let mut files = Vec::new();
    if dist.is_dir() {
        println!("cargo::rerun-if-changed={}", dist.display());
        collect(&dist, "", &mut files)?;
        files.sort();
    } else {
        // A watched path that is not there would make every build start anew.
        println!("cargo::rerun-if-changed={}", ui.display());
    }

    let mut table = "&[\n".to_owned();
    for (index, (path, file)) in files.iter().enumerate() {
        let compressed = out.join(format!("{index}.gz"));
        fs::write(&compressed, gzip(&fs::read(file)?)?)?;
        let line = format!("File {{ path: {path:?}, gzip: include_bytes!({compressed:?}) }},");
        writeln!(table, "    {line}").expect("a string takes everything");
    }
    table.push(']');
    fs::write(out.join("interface.rs"), table)
}

/// The files of a folder and of the folders in it, with their paths from the first one.
fn collect(folder: &Path, above: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let path = format!("{above}/{}", name.to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &path, files)?;
        } else {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}
