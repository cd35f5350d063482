//! The direction of dependencies, as `docs/architecture.md` draws it.
//!
//! Three rules, each a table: which crates of the workspace a crate may name; which foreign crates
//! only one crate may name; and what the pure crates must not reach, by whatever way. A crate that
//! the first table does not know is an error too, so that a new one is put into the picture.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

/// Who may name whom within the workspace: in the program, and in its tests besides.
const MAY_NAME: &[(&str, &[&str], &[&str])] = &[
    ("zephyr-core", &[], &[]),
    ("zephyr-control", &[], &[]),
    ("zephyr-testkit", &[], &[]),
    (
        "zephyr-engine",
        &["zephyr-core", "zephyr-control"],
        &["zephyr-testkit"],
    ),
    (
        "zephyr-demo",
        &["zephyr-core", "zephyr-engine"],
        &["zephyr-testkit"],
    ),
    (
        "zephyr-claude-code",
        &["zephyr-core", "zephyr-control", "zephyr-engine"],
        &[],
    ),
    (
        "zephyr-process",
        &["zephyr-core", "zephyr-control", "zephyr-engine"],
        &[],
    ),
    (
        "zephyr-admin",
        &["zephyr-core", "zephyr-control", "zephyr-engine"],
        &[],
    ),
    (
        "zephyr-cli",
        &[
            "zephyr-core",
            "zephyr-control",
            "zephyr-engine",
            "zephyr-admin",
            "zephyr-claude-code",
            "zephyr-demo",
            "zephyr-process",
        ],
        &["zephyr-testkit"],
    ),
    (
        "zephyr-desktop",
        &[
            "zephyr-core",
            "zephyr-control",
            "zephyr-engine",
            "zephyr-admin",
            "zephyr-claude-code",
            "zephyr-demo",
            "zephyr-process",
        ],
        &[],
    ),
    ("zephyr-bench", &[], &[]),
    ("zephyr-clients-test", &["zephyr-testkit"], &[]),
    (
        "zephyr-desktop-test",
        &["zephyr-control", "zephyr-testkit"],
        &[],
    ),
    ("xtask", &[], &[]),
];

/// Foreign crates that one crate keeps to itself. A name that ends in `*` is a beginning.
const KEPT_BY: &[(&str, &str)] = &[
    ("tauri*", "zephyr-desktop"),
    ("axum", "zephyr-admin"),
    ("reqwest", "zephyr-admin"),
    ("rusqlite", "zephyr-engine"),
    ("keyring*", "zephyr-engine"),
    ("apple-native-keyring-store", "zephyr-engine"),
    ("windows-native-keyring-store", "zephyr-engine"),
    ("zbus-secret-service-keyring-store", "zephyr-engine"),
];

/// Crates without IO, clock and runtime, and what would bring one in.
const PURE: &[&str] = &["zephyr-core", "zephyr-control"];
const IMPURE: &[&str] = &[
    "tokio",
    "hyper",
    "reqwest",
    "rustls",
    "mio",
    "socket2",
    "notify",
    "rusqlite",
    "getrandom",
    "rand",
    "tracing-subscriber",
    "directories",
];

/// Every dependency that goes the wrong way, in words. Takes what `cargo metadata` prints.
pub(crate) fn violations(metadata: &Value) -> Result<Vec<String>> {
    let graph = Graph::read(metadata)?;
    let mut wrong = Vec::new();
    for member in &graph.members {
        let Some((_, program, tests)) = MAY_NAME.iter().find(|(name, ..)| name == member) else {
            wrong.push(format!(
                "{member} is new: say in xtask/src/direction.rs what it may depend on"
            ));
            continue;
        };
        for named in graph
            .names(member, Use::Program)
            .intersection(&graph.members)
        {
            if !program.contains(&named.as_str()) {
                wrong.push(format!("{member} must not depend on {named}"));
            }
        }
        for named in graph.names(member, Use::Tests).intersection(&graph.members) {
            if !program.contains(&named.as_str()) && !tests.contains(&named.as_str()) {
                wrong.push(format!(
                    "{member} must not depend on {named}, even in tests"
                ));
            }
        }
        for (pattern, keeper) in KEPT_BY.iter().filter(|(_, keeper)| keeper != member) {
            let named = graph.names(member, Use::Program);
            for named in named.iter().filter(|named| matches(named, pattern)) {
                wrong.push(format!("{member} must not name {named}: only {keeper} may"));
            }
        }
    }
    for pure in PURE.iter().filter(|pure| graph.members.contains(**pure)) {
        let reached = graph.reached_from(pure);
        for impure in IMPURE.iter().filter(|impure| reached.contains(**impure)) {
            wrong.push(format!(
                "{pure} must do without {impure}, also by way of others"
            ));
        }
    }
    Ok(wrong)
}

/// What a dependency is there for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, PartialOrd, Ord)]
enum Use {
    Program,
    Tests,
}

#[derive(Debug)]
struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<(String, Use), BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let names: BTreeMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let name = |id: &Value| {
            names
                .get(id.as_str().unwrap_or_default())
                .cloned()
                .context("cargo metadata names a package that it does not describe")
        };

        let members = list(&metadata["workspace_members"]);
        let members = members.iter().map(name).collect::<Result<_>>()?;
        let mut edges: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let from = name(&node["id"])?;
            for dependency in list(&node["deps"]) {
                let to = name(&dependency["pkg"])?;
                for kind in list(&dependency["dep_kinds"]) {
                    let purpose = match kind["kind"].as_str() {
                        Some("dev") => Use::Tests,
                        Some(_) | None => Use::Program,
                    };
                    let ends = edges.entry((from.clone(), purpose)).or_default();
                    ends.insert(to.clone());
                }
            }
        }
        Ok(Self { members, edges })
    }

    fn names(&self, from: &str, purpose: Use) -> BTreeSet<String> {
        let key = (from.to_owned(), purpose);
        self.edges.get(&key).cloned().unwrap_or_default()
    }

    fn reached_from(&self, start: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![start.to_owned()];
        while let Some(from) = open.pop() {
            for to in self.names(&from, Use::Program) {
                if reached.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        reached
    }
}

fn matches(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A workspace with these edges: from, to, kind as Cargo names it.
    fn workspace(members: &[&str], edges: &[(&str, &str, Option<&str>)]) -> Value {
        let mut names: BTreeSet<&str> = members.iter().copied().collect();
        names.extend(edges.iter().flat_map(|(from, to, _)| [*from, *to]));
        let packages: Vec<Value> = names
            .iter()
            .map(|name| json!({"id": format!("id of {name}"), "name": name}))
            .collect();
        let nodes: Vec<Value> = names
            .iter()
            .map(|name| {
                let dependencies: Vec<Value> = edges
                    .iter()
                    .filter(|(from, ..)| from == name)
                    .map(|(_, to, kind)| {
                        json!({"pkg": format!("id of {to}"), "dep_kinds": [{"kind": kind}]})
                    })
                    .collect();
                json!({"id": format!("id of {name}"), "deps": dependencies})
            })
            .collect();
        let members: Vec<String> = members.iter().map(|name| format!("id of {name}")).collect();
        json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}})
    }

    #[test]
    fn the_engine_may_name_core_and_control_and_test_with_the_testkit() {
        let workspace = workspace(
            &[
                "zephyr-core",
                "zephyr-control",
                "zephyr-engine",
                "zephyr-testkit",
            ],
            &[
                ("zephyr-engine", "zephyr-core", None),
                ("zephyr-engine", "zephyr-control", None),
                ("zephyr-engine", "zephyr-testkit", Some("dev")),
                ("zephyr-engine", "tokio", None),
            ],
        );

        assert_eq!(violations(&workspace).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_testkit_must_not_ship_in_the_engine() {
        let workspace = workspace(
            &["zephyr-engine", "zephyr-testkit"],
            &[("zephyr-engine", "zephyr-testkit", None)],
        );

        let wrong = violations(&workspace).unwrap();

        assert_eq!(wrong, ["zephyr-engine must not depend on zephyr-testkit"]);
    }

    #[test]
    fn core_must_not_reach_a_runtime_by_way_of_others() {
        let workspace = workspace(
            &["zephyr-core"],
            &[
                ("zephyr-core", "innocent", None),
                ("innocent", "tokio", None),
            ],
        );

        let wrong = violations(&workspace).unwrap();

        assert_eq!(
            wrong,
            ["zephyr-core must do without tokio, also by way of others"]
        );
    }

    #[test]
    fn core_may_test_with_what_it_must_not_ship() {
        let workspace = workspace(
            &["zephyr-core"],
            &[
                ("zephyr-core", "proptest", Some("dev")),
                ("proptest", "rand", None),
            ],
        );

        assert_eq!(violations(&workspace).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn tauri_belongs_to_the_desktop_program() {
        let edge = |from| [(from, "tauri-plugin-dialog", None)];

        let desktop = workspace(&["zephyr-desktop"], &edge("zephyr-desktop"));
        let cli = workspace(&["zephyr-cli"], &edge("zephyr-cli"));

        assert_eq!(violations(&desktop).unwrap(), Vec::<String>::new());
        assert_eq!(violations(&cli).unwrap().len(), 1);
    }

    #[test]
    fn a_crate_that_nobody_has_placed_is_reported() {
        let workspace = workspace(&["zephyr-surprise"], &[]);

        let wrong = violations(&workspace).unwrap();

        assert!(wrong[0].starts_with("zephyr-surprise is new"), "{wrong:?}");
    }
}
