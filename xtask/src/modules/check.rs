//! Checks every library and program of the workspace, and says what is wrong in words.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::circles::{circles, steps};
use super::faces::definitions;
use super::graph::Graph;
use super::tree::{self, File, Read};

/// Everything that is wrong, in words. `metadata`: the output of `cargo metadata`.
pub(crate) fn violations(metadata: &Value) -> Result<Vec<String>> {
    let workspace = metadata["workspace_root"].as_str().unwrap_or_default();
    let mut wrong = Vec::new();
    for root in roots(metadata)? {
        let folder = root.parent().unwrap_or(&root);
        let shown = folder.strip_prefix(workspace).unwrap_or(folder).display();
        let found = violations_of(&root, &|path| fs::read_to_string(path).ok())?;
        wrong.extend(found.into_iter().map(|found| format!("{shown}: {found}")));
    }
    Ok(wrong)
}

/// The roots of the workspace's libraries and programs.
fn roots(metadata: &Value) -> Result<Vec<PathBuf>> {
    let members = metadata["workspace_members"].as_array();
    let members = members.context("cargo metadata names no members")?;
    let packages = metadata["packages"].as_array();
    let packages = packages.context("cargo metadata names no packages")?;
    let mut roots = Vec::new();
    let own = |package: &&Value| members.contains(&package["id"]);
    for package in packages.iter().filter(own) {
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array();
            let is_program = |kind: &Value| kind == "lib" || kind == "bin";
            if kinds.is_some_and(|kinds| kinds.iter().any(is_program)) {
                let root = target["src_path"].as_str();
                roots.push(root.context("a target has no source")?.into());
            }
        }
    }
    Ok(roots)
}

fn violations_of(root: &Path, read: Read<'_>) -> Result<Vec<String>> {
    let files = tree::read(root, read)?;
    let graph = Graph::of(&files);
    let mut wrong: Vec<String> = circles_of(&files, &graph);
    if root.file_name().is_some_and(|name| name != "lib.rs") {
        // The root comes first.
        for (file, imports) in files.iter().zip(&graph.imports) {
            if let Some(names) = imports.get(&0) {
                wrong.push(format!(
                    "{} names what {} defines: {}",
                    file.name,
                    files[0].name,
                    listed(names)
                ));
            }
        }
    }
    for file in &files {
        let definitions = definitions(file);
        if !definitions.is_empty() {
            wrong.push(format!(
                "{} is a face and holds more than modules and re-exports: {}",
                file.name,
                definitions.join(", ")
            ));
        }
    }
    Ok(wrong)
}

/// Each circle, with the names that close it.
fn circles_of(files: &[File], graph: &Graph) -> Vec<String> {
    let arrows = graph.imports.iter();
    let arrows: Vec<BTreeSet<usize>> = arrows
        .map(|imports| imports.keys().copied().collect())
        .collect();
    let told = circles(&arrows);
    told.iter()
        .map(|circle| {
            let mut words = "a circle of imports".to_owned();
            for (from, to) in steps(circle) {
                let names = &graph.imports[from][&to];
                let (from, to) = (&files[from].name, &files[to].name);
                words += &format!("\n    {from} takes from {to}: {}", listed(names));
            }
            words
        })
        .collect()
}

fn listed(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a library. With a `main.rs` it is a program.
    fn wrong(files: &[(&str, &str)]) -> Vec<String> {
        let is_root = |name: &str| name == "lib.rs" || name == "main.rs";
        let root = files.iter().find(|(name, _)| is_root(name)).unwrap().0;
        let text = |path: &Path| {
            let name = path.to_str().unwrap().replace('\\', "/");
            let file = files.iter().find(|(file, _)| *file == name);
            file.map(|(_, text)| (*text).to_owned())
        };
        violations_of(Path::new(root), &text).unwrap()
    }

    /// A library with the modules `a` and `b`.
    fn pair(a: &str, b: &str) -> Vec<String> {
        wrong(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)])
    }

    fn assert_circle(found: &[String], arrows: &[&str]) {
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("a circle of imports"), "{found:#?}");
        for arrow in arrows {
            assert!(found[0].contains(arrow), "{arrow}: {found:#?}");
        }
        assert_eq!(found[0].lines().count(), arrows.len() + 1, "{found:#?}");
    }

    #[test]
    fn two_modules_that_import_each_other_are_told_with_what_they_take() {
        let found = pair(
            "use crate::b::{Other, Thing};",
            "fn f() { super::a::run(); }",
        );

        let arrows = [
            "a.rs takes from b.rs: Other, Thing",
            "b.rs takes from a.rs: run",
        ];
        assert_circle(&found, &arrows);
    }

    #[test]
    fn imports_that_go_one_way_are_fine() {
        let lib = "mod a; mod b; pub use a::A; pub use b::B;";
        let found = wrong(&[
            ("lib.rs", lib),
            ("a.rs", "use crate::b::B; use std::fmt; pub struct A(B);"),
            ("b.rs", "pub struct B;"),
        ]);

        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn a_loop_of_three_is_a_circle() {
        let found = wrong(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use super::b::B;"),
            ("b.rs", "use super::c::C;"),
            ("c.rs", "use super::a::A;"),
        ]);

        assert_circle(&found, &["from b.rs: B", "from c.rs: C", "from a.rs: A"]);
    }

    #[test]
    fn a_child_that_takes_from_its_face_what_that_re_exports_is_in_a_circle_with_it() {
        let found = wrong(&[
            ("lib.rs", "mod fleet;"),
            (
                "fleet/mod.rs",
                "mod fault; mod select; pub use fault::Fault; pub use select::select;",
            ),
            ("fleet/fault.rs", "pub enum Fault {}"),
            ("fleet/select.rs", "use super::Fault;"),
        ]);

        let arrows = [
            "fleet/mod.rs takes from fleet/select.rs: select",
            "fleet/select.rs takes from fleet/mod.rs: Fault",
        ];
        assert_circle(&found, &arrows);
    }

    #[test]
    fn a_child_that_takes_from_its_sibling_is_not() {
        let found = wrong(&[
            ("lib.rs", "pub mod fleet;"),
            (
                "fleet/mod.rs",
                "mod fault; mod select; pub use fault::Fault; pub use select::select;",
            ),
            ("fleet/fault.rs", "pub enum Fault {}"),
            (
                "fleet/select.rs",
                "use super::fault::Fault; pub fn select() -> Fault {}",
            ),
        ]);

        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn the_root_is_a_face_too() {
        let found = wrong(&[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "pub struct A;"),
            ("b.rs", "pub struct B(crate::A);"),
        ]);

        assert_circle(
            &found,
            &["lib.rs takes from b.rs: B", "b.rs takes from lib.rs: A"],
        );
    }

    #[test]
    fn a_face_that_only_declares_a_module_imports_nothing() {
        let found = wrong(&[
            ("main.rs", "mod face; fn main() {}"),
            ("face/mod.rs", "mod a; mod b; pub use b::B;"),
            ("face/a.rs", "use super::B;"),
            ("face/b.rs", "pub struct B;"),
        ]);

        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn tests_may_import_what_they_like() {
        let tests = "#[cfg(test)] mod tests { use crate::b::B; fn f() { crate::b::g(); } }";
        let helper = "#[cfg(test)] impl A { fn of(b: crate::b::B) -> Self { crate::b::g() } }";
        let method = "impl A { #[cfg(test)] fn of(b: crate::b::B) -> Self { crate::b::g() } }";
        let file = "#[cfg(test)] mod tests;";
        for a in [tests, helper, method, file] {
            let found = wrong(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", a),
                ("a/tests.rs", "use crate::b::B;"),
                ("b.rs", "use crate::a::A;"),
            ]);

            assert!(found.is_empty(), "{a}: {found:#?}");
        }
    }

    #[test]
    fn nested_groups_and_renamed_imports_are_followed() {
        for a in [
            "use crate::{b::{c::{self, C as D}, B}};",
            "use super::b as other; fn f() -> other::c::C {}",
            "use super::{b as other}; use other::c as inner; fn f() { inner::run() }",
            "use crate::*; fn f() { b::c::run() }",
            "use crate::b::c::*;",
        ] {
            let found = wrong(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", a),
                ("b/mod.rs", "pub mod c;"),
                ("b/c.rs", "fn f() { crate::a::f() }"),
            ]);

            assert_eq!(found.len(), 1, "{a}: {found:#?}");
            assert!(found[0].contains("b/c.rs takes from a.rs: f"), "{found:#?}");
        }
    }

    #[test]
    fn what_code_names_counts_wherever_it_stands() {
        for a in [
            "fn f() { assert_eq!(1, crate::b::two()); }",
            "fn f() { let x = vec![Some(super::b::TWO)]; }",
            "macro_rules! m { () => { $crate::b::two() } }",
            "#[serde(with = \"super::b\")] struct S;",
            "#[serde(default = \"crate::b::two\")] struct S;",
            "impl crate::b::B for S {}",
            "fn f(x: Option<&dyn super::b::B>) {}",
            "fn f() { use super::b::two; }",
            "mod platform { use super::super::b::two; }",
            "mod platform { pub(super) use crate::b::two; }",
            "#[cfg(not(test))] use super::b::two;",
        ] {
            let found = pair(a, "use crate::a::S;");

            assert_eq!(found.len(), 1, "{a}: {found:#?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_name_of_a_module_does_not_count() {
        for a in [
            "//! [`crate::b`]\n/// [`crate::b::two`]\nstruct S;",
            "pub(in crate::b) struct S;",
            "fn f(b: u8) { println!(\"{}\", b); println!(\"{}\", x.b::<u8>()); }",
            "fn f() { let text = \"crate::b::two\"; println!(\"crate::b::two\"); }",
            "use ::b::two; fn f() { other::b::two(); b::two(); }",
            "mod b { pub fn two() {} } fn f() { b::two() }",
            "use other::b; fn f() { b::two() }",
        ] {
            let found = pair(a, "use crate::a::S;");

            assert!(found.is_empty(), "{a}: {found:#?}");
        }
    }

    #[test]
    fn a_program_may_use_its_modules_but_they_must_not_name_what_it_defines() {
        let main = "mod a; fn main() { a::run() } struct Options;";
        let good = wrong(&[("main.rs", main), ("a.rs", "pub fn run() {}")]);
        let bad = wrong(&[
            ("main.rs", "mod a; struct Options; fn main() {}"),
            ("a.rs", "use crate::Options;"),
        ]);

        assert!(good.is_empty(), "{good:#?}");
        assert_eq!(bad, ["a.rs names what main.rs defines: Options"]);
    }

    #[test]
    fn a_face_holds_modules_and_re_exports_only() {
        let tests = "#[cfg(test)] mod tests { fn f() {} }";
        let found = wrong(&[
            (
                "lib.rs",
                "//! Doc.\n#![allow(x)]\nmod a; mod b; pub use a::A;",
            ),
            (
                "a/mod.rs",
                &format!("mod c; {tests} pub struct A; impl A {{}}"),
            ),
            ("a/c.rs", ""),
            ("b.rs", "struct B;"),
        ]);

        let face = "a/mod.rs is a face and holds more than modules and re-exports: \
                    struct A, an impl";
        assert_eq!(found, [face]);
    }

    #[test]
    fn a_library_of_one_file_is_no_face() {
        let found = wrong(&[("lib.rs", "pub struct Only; #[cfg(test)] mod tests;")]);

        assert!(found.is_empty(), "{found:#?}");
    }
}
