//! What the programs are made of: one software bill of materials (SBOM) for each, in CycloneDX 1.5, with the
//! crates of every system and the npm packages of the interface.
//!
//! cargo-cyclonedx and npm say what there is. cargo-cyclonedx asks `cargo metadata`, which also names crates
//! of features that are off, and npm names what only builds the interface; both are left out here. The result
//! depends on the commit alone: its time is the commit's, it has no serial number, and it names no folder of
//! this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::{cargo, printed, run};
use crate::tools;
use crate::workspace::{commit_time, metadata, root, target_dir};

/// The programs, by the packages that they are built from.
const PROGRAMS: [(&str, &str); 2] = [
    ("zephyr", "zephyr-cli"),
    ("zephyr-desktop", "zephyr-desktop"),
];

/// How cargo-cyclonedx calls its files, which it puts beside every `Cargo.toml`.
const SCRATCH: &str = "zephyr-sbom-scratch";

/// Writes `NAME.cdx.json` for each program into `sbom` in the target folder.
pub(crate) fn sbom() -> Result<()> {
    tools::node()?;
    let target = target_dir()?;
    let folder = target.join("sbom");
    fs::create_dir_all(&folder)?;
    let crates = crates(&target)?;
    let packages = packages()?;
    for (name, package) in PROGRAMS {
        let bill = crates
            .get(package)
            .with_context(|| format!("cargo-cyclonedx says nothing of {package}"))?;
        let bill = without_others(bill.clone(), &built_into(package)?);
        let bill = with_interface(bill, &packages);
        let wrong = wrong(&bill);
        if !wrong.is_empty() {
            bail!("the bill of {name} is wrong:\n{}", wrong.join("\n"));
        }
        let file = folder.join(format!("{name}.cdx.json"));
        fs::write(&file, serde_json::to_string_pretty(&bill)? + "\n")?;
        let count = components(&bill).len();
        println!("{}: {count} components", file.display());
    }
    Ok(())
}

/// What cargo-cyclonedx says of each package of the workspace.
fn crates(target: &Path) -> Result<BTreeMap<String, Value>> {
    let metadata = metadata(&["--no-deps"])?;
    let listed = metadata["packages"].as_array().into_iter().flatten();
    let mut members = Vec::new();
    for package in listed {
        let name = package["name"].as_str().context("a package has no name")?;
        let id = package["id"].as_str().context("a package has no id")?;
        let manifest = package["manifest_path"].as_str();
        let manifest = manifest.context("a package has no manifest")?;
        let scratch = Path::new(manifest).with_file_name(format!("{SCRATCH}.json"));
        members.push((name.to_owned(), id.to_owned(), scratch));
    }
    let here = workspace_url(&members)?;

    let mut tool = tools::cargo_cyclonedx(target)?;
    tool.args(["--format", "json", "--spec-version", "1.5", "--all"])
        .args(["--target", "all", "--override-filename", SCRATCH])
        .env("SOURCE_DATE_EPOCH", commit_time(root())?)
        .current_dir(root());
    let outcome = run(&mut tool);
    let mut bills = BTreeMap::new();
    for (name, _, scratch) in members {
        let text = fs::read_to_string(&scratch);
        if text.is_ok() {
            fs::remove_file(&scratch)?;
        }
        if outcome.is_ok() {
            let text = text.with_context(|| scratch.display().to_string())?;
            let bill = serde_json::from_str(&text.replace(&here, "path+file:///"))?;
            bills.insert(name, bill);
        }
    }
    outcome.map(|()| bills)
}

/// The workspace's folder, as the identifiers of its packages begin.
fn workspace_url(members: &[(String, String, PathBuf)]) -> Result<String> {
    let xtask = members.iter().find(|(name, _, _)| name == "xtask");
    let before = xtask.and_then(|(_, id, _)| id.split_once("xtask#"));
    let (before, _) = before.context("the workspace has no package xtask")?;
    Ok(before.to_owned())
}

/// What npm says of the interface.
fn packages() -> Result<Value> {
    let ui = root().join("ui");
    let mut npm = tools::npm();
    npm.args(["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"])
        .current_dir(&ui);
    let bill = serde_json::from_str(&printed(&mut npm)?).context("npm sbom printed no JSON")?;
    let package = fs::read_to_string(ui.join("package.json"))?;
    let package: Value = serde_json::from_str(&package)?;
    let shipped = package["dependencies"].as_object();
    let shipped = shipped.context("ui/package.json has no dependencies")?;
    Ok(shipped_only(
        bill,
        &shipped.keys().map(String::as_str).collect(),
    ))
}

/// The crates of a package, those of other systems and those that only build it too: name and version.
fn built_into(package: &str) -> Result<BTreeSet<(String, String)>> {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "--package", package])
        .args(["--edges", "normal,build", "--target", "all"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(root());
    Ok(names_and_versions(&printed(&mut tree)?))
}

/// Reads lines such as `serde v1.0.229 (*)`.
fn names_and_versions(tree: &str) -> BTreeSet<(String, String)> {
    let line = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next()?;
        let version = words.next()?.strip_prefix('v')?;
        Some((name.to_owned(), version.to_owned()))
    };
    tree.lines().filter_map(line).collect()
}

/// Leaves out the crates that are not among `kept`.
fn without_others(bill: Value, kept: &BTreeSet<(String, String)>) -> Value {
    let known: BTreeSet<String> = components(&bill)
        .iter()
        .filter(|component| {
            let word = |key: &str| component[key].as_str().unwrap_or_default().to_owned();
            kept.contains(&(word("name"), word("version")))
        })
        .map(reference)
        .chain([reference(&bill["metadata"]["component"])])
        .collect();
    only(bill, &known)
}

/// Leaves out the packages that nothing of `shipped` needs.
fn shipped_only(bill: Value, shipped: &BTreeSet<&str>) -> Value {
    let edges: BTreeMap<&str, Vec<&str>> = dependencies(&bill)
        .iter()
        .filter_map(|node| {
            let needed = node["dependsOn"].as_array().into_iter().flatten();
            Some((
                node["ref"].as_str()?,
                needed.filter_map(Value::as_str).collect(),
            ))
        })
        .collect();
    let root = reference(&bill["metadata"]["component"]);
    let mut known = BTreeSet::from([root.clone()]);
    let named = |wanted: &&str| {
        let name = wanted.rsplit_once('@').map_or(*wanted, |(name, _)| name);
        shipped.contains(name)
    };
    let mut open: Vec<&str> = edges
        .get(root.as_str())
        .into_iter()
        .flatten()
        .copied()
        .collect();
    open.retain(named);
    while let Some(next) = open.pop() {
        if known.insert(next.to_owned()) {
            open.extend(edges.get(next).into_iter().flatten());
        }
    }
    only(bill, &known)
}

/// Keeps the components and the dependencies that are known.
fn only(mut bill: Value, known: &BTreeSet<String>) -> Value {
    if let Some(components) = bill["components"].as_array_mut() {
        components.retain(|component| known.contains(&reference(component)));
    }
    if let Some(nodes) = bill["dependencies"].as_array_mut() {
        nodes.retain(|node| {
            node["ref"]
                .as_str()
                .is_some_and(|name| known.contains(name))
        });
        for node in nodes {
            if let Some(needed) = node["dependsOn"].as_array_mut() {
                needed.retain(|name| name.as_str().is_some_and(|name| known.contains(name)));
            }
        }
    }
    bill
}

/// Adds the interface and its packages to a program that contains it.
fn with_interface(mut bill: Value, packages: &Value) -> Value {
    let interface = &packages["metadata"]["component"];
    let program = reference(&bill["metadata"]["component"]);
    if let Some(list) = bill["components"].as_array_mut() {
        list.push(interface.clone());
        list.extend(components(packages).iter().cloned());
    }
    if let Some(nodes) = bill["dependencies"].as_array_mut() {
        for node in nodes.iter_mut() {
            if node["ref"].as_str() != Some(program.as_str()) {
                continue;
            }
            if node["dependsOn"].is_null() {
                node["dependsOn"] = json!([]);
            }
            if let Some(needed) = node["dependsOn"].as_array_mut() {
                needed.push(interface["bom-ref"].clone());
            }
        }
        nodes.extend(dependencies(packages).iter().cloned());
    }
    if let (Some(tools), Some(more)) = (
        bill["metadata"]["tools"].as_array_mut(),
        packages["metadata"]["tools"].as_array(),
    ) {
        tools.extend(more.iter().cloned());
    }
    bill
}

/// What a reader of CycloneDX would stumble over.
fn wrong(bill: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, right) in [("bomFormat", "CycloneDX"), ("specVersion", "1.5")] {
        if bill[key] != right {
            wrong.push(format!("{key} is {}, not {right}", bill[key]));
        }
    }
    if bill["metadata"]["timestamp"].as_str().is_none() {
        wrong.push("there is no time".to_owned());
    }
    let program = &bill["metadata"]["component"];
    if program["type"] != "application" {
        wrong.push("it describes no application".to_owned());
    }
    let mut known = BTreeSet::new();
    for component in components(bill).iter().chain([program]) {
        let name = reference(component);
        for key in ["type", "name", "version", "purl", "bom-ref"] {
            if component[key].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("{name:?} has no {key}"));
            }
        }
        if component["licenses"].as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("{name:?} has no licence"));
        }
        let ours = name.starts_with("path+file:") || name.starts_with("zephyr-ui@");
        if !ours && component["hashes"].as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("{name:?} has no hash"));
        }
        if !known.insert(name.clone()) {
            wrong.push(format!("{name:?} is there twice"));
        }
    }
    for node in dependencies(bill) {
        let needed = node["dependsOn"].as_array().into_iter().flatten();
        for name in needed.chain([&node["ref"]]) {
            if name.as_str().is_none_or(|name| !known.contains(name)) {
                wrong.push(format!("{name} is no component"));
            }
        }
    }
    wrong
}

fn components(bill: &Value) -> &[Value] {
    bill["components"].as_array().map_or(&[], Vec::as_slice)
}

fn dependencies(bill: &Value) -> &[Value] {
    bill["dependencies"].as_array().map_or(&[], Vec::as_slice)
}

fn reference(component: &Value) -> String {
    component["bom-ref"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_has_the_crates_of_a_program_and_the_packages_of_the_interface() {
        let tree = "zephyr-cli v0.1.0 (/somewhere)\nserde v1.0.229\nserde v1.0.229 (*)\n";
        let crates = without_others(crates_bill(), &names_and_versions(tree));
        let packages = shipped_only(packages_bill(), &BTreeSet::from(["@tauri-apps/api"]));

        let bill = with_interface(crates, &packages);

        let names: Vec<String> = components(&bill).iter().map(reference).collect();
        let expected = [
            "registry+index#serde@1.0.229",
            "zephyr-ui@0.0.0",
            "@tauri-apps/api@2.12.5",
            "inner@1.0.0",
        ];
        assert_eq!(names, expected);
        assert_eq!(wrong(&bill), Vec::<String>::new());
        let needed = &dependencies(&bill)[0]["dependsOn"];
        let expected = ["registry+index#serde@1.0.229", "zephyr-ui@0.0.0"];
        assert_eq!(needed, &json!(expected));
    }

    #[test]
    fn a_bill_that_names_what_it_does_not_describe_is_wrong() {
        let mut bill = crates_bill();
        bill["dependencies"][0]["dependsOn"] = json!(["registry+index#gone@1.0.0"]);
        bill["components"][0]["hashes"] = json!([]);
        bill["components"][1]["licenses"] = Value::Null;
        bill["specVersion"] = json!("1.3");

        let wrong = wrong(&bill).join("\n");

        for expected in ["gone@1.0.0", "no hash", "no licence", "specVersion"] {
            assert!(wrong.contains(expected), "{expected} is not in:\n{wrong}");
        }
    }

    #[test]
    fn the_folder_of_this_machine_is_how_identifiers_begin() {
        let member = |name: &str, id: &str| (name.to_owned(), id.to_owned(), PathBuf::new());
        let members = [
            member(
                "zephyr-cli",
                "path+file:///home/me/zephyr/crates/cli#zephyr-cli@0.1.0",
            ),
            member("xtask", "path+file:///home/me/zephyr/xtask#0.1.0"),
        ];

        let here = workspace_url(&members).unwrap();

        assert_eq!(here, "path+file:///home/me/zephyr/");
        assert!(workspace_url(&members[..1]).is_err());
    }

    fn crates_bill() -> Value {
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {
                "timestamp": "2026-12-01T00:00:00Z",
                "tools": [{ "name": "cargo-cyclonedx" }],
                "component": component("path+file:///crates/cli#zephyr-cli@0.1.0", "zephyr-cli", "0.1.0", "application"),
            },
            "components": [
                component("registry+index#serde@1.0.229", "serde", "1.0.229", "library"),
                component("registry+index#ring@0.17.0", "ring", "0.17.0", "library"),
            ],
            "dependencies": [
                {
                    "ref": "path+file:///crates/cli#zephyr-cli@0.1.0",
                    "dependsOn": ["registry+index#serde@1.0.229", "registry+index#ring@0.17.0"],
                },
                { "ref": "registry+index#ring@0.17.0" },
                { "ref": "registry+index#serde@1.0.229" },
            ],
        })
    }

    fn packages_bill() -> Value {
        let names = [
            ("@tauri-apps/api", "2.12.5"),
            ("inner", "1.0.0"),
            ("vite", "8.0.0"),
        ];
        let library =
            |(name, version)| component(&format!("{name}@{version}"), name, version, "library");
        json!({
            "metadata": {
                "tools": [{ "name": "npm" }],
                "component": component("zephyr-ui@0.0.0", "zephyr-ui", "0.0.0", "library"),
            },
            "components": names.map(library),
            "dependencies": [
                { "ref": "zephyr-ui@0.0.0", "dependsOn": ["@tauri-apps/api@2.12.5", "vite@8.0.0"] },
                { "ref": "@tauri-apps/api@2.12.5", "dependsOn": ["inner@1.0.0"] },
                { "ref": "inner@1.0.0", "dependsOn": [] },
                { "ref": "vite@8.0.0", "dependsOn": ["inner@1.0.0"] },
            ],
        })
    }

    fn component(reference: &str, name: &str, version: &str, kind: &str) -> Value {
        json!({
            "type": kind,
            "bom-ref": reference,
            "name": name,
            "version": version,
            "purl": format!("pkg:generic/{name}@{version}"),
            "licenses": [{ "expression": "MIT" }],
            "hashes": [{ "alg": "SHA-256", "content": "00" }],
        })
    }
}
