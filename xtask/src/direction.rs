//! The direction of dependencies, as `docs/architecture.md` draws it.
//!
//! There are four rules, and each is a table: which crates of the workspace a crate may name, which foreign
//! crates only one crate may name, what the pure crates must not reach, and what the released programs must
//! not reach. A crate that is missing in the first table is an error, so that every new crate gets its place
//! there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

const CONTROL: &str = "zephyr-control";
const AS_USER: &str = "zephyr-as-user";
const CORE: &str = "zephyr-core";
const CORPUS: &str = "zephyr-corpus";
const REDACT: &str = "zephyr-redact";
const SECRETS: &str = "zephyr-secrets";
const ENCODING: &str = "zephyr-encoding";
const CONFIG: &str = "zephyr-config";
const JOURNAL: &str = "zephyr-journal";
const ENGINE: &str = "zephyr-engine";
const PEER: &str = "zephyr-peer";
const PROCESS: &str = "zephyr-process";
const ADMIN: &str = "zephyr-admin";
const CLAUDE_CODE: &str = "zephyr-claude-code";
const DEMO: &str = "zephyr-demo";
const CLI: &str = "zephyr-cli";
const DESKTOP: &str = "zephyr-desktop";
const TESTKIT: &str = "zephyr-testkit";

/// The parts of a program.
const ALL_PARTS: &[&str] = &[
    CORE,
    CONTROL,
    SECRETS,
    ENCODING,
    CONFIG,
    JOURNAL,
    ENGINE,
    PEER,
    PROCESS,
    ADMIN,
    CLAUDE_CODE,
    DEMO,
];

/// The crates of the workspace that a crate may name: in its program code, and additionally in its tests.
const MAY_NAME: &[(&str, &[&str], &[&str])] = &[
    (CORE, &[], &[CORPUS]),
    (REDACT, &[], &[]),
    (CONTROL, &[REDACT], &[]),
    (SECRETS, &[CORE, REDACT], &[AS_USER]),
    (ENCODING, &[], &[]),
    (CONFIG, &[CORE, CONTROL, SECRETS], &[AS_USER, CORPUS]),
    (JOURNAL, &[CORE, CONTROL, SECRETS, ENCODING], &[]),
    (
        ENGINE,
        &[CORE, CONTROL, SECRETS, ENCODING, CONFIG, JOURNAL, PEER],
        &[AS_USER, CORPUS, TESTKIT],
    ),
    (PEER, &[], &[AS_USER]),
    (PROCESS, &[CORE, CONTROL, SECRETS], &[]),
    (ADMIN, &[CORE, CONTROL, SECRETS, PEER], &[AS_USER]),
    (CLAUDE_CODE, &[CORE, CONTROL, SECRETS, CONFIG], &[AS_USER]),
    (DEMO, &[CORE, SECRETS, CONFIG], &[TESTKIT]),
    (CLI, ALL_PARTS, &[AS_USER, TESTKIT]),
    (DESKTOP, ALL_PARTS, &[]),
    (CORPUS, &[], &[]),
    (AS_USER, &[], &[]),
    (TESTKIT, &[], &[]),
    ("zephyr-bench", &[], &[]),
    // These crates hold tests only.
    ("zephyr-clients-test", &[TESTKIT], &[]),
    ("zephyr-desktop-test", &[CONTROL, TESTKIT], &[]),
    ("xtask", &[], &[]),
];

/// Foreign crates that only one crate may name. `*` at the end of a name stands for anything.
const KEPT_BY: &[(&str, &str)] = &[
    ("tauri*", DESKTOP),
    ("axum", ADMIN),
    ("reqwest", ADMIN),
    ("rusqlite", JOURNAL),
    // So every log line goes through the one redacting writer.
    ("tracing-subscriber", PROCESS),
    ("rcgen", TESTKIT),
    ("keyring*", SECRETS),
    ("apple-native-keyring-store", SECRETS),
    ("windows-native-keyring-store", SECRETS),
    ("zbus-secret-service-keyring-store", SECRETS),
];

/// Crates without IO, clock and runtime, and the dependencies that would bring one in.
const PURE: &[&str] = &[CORE, CONTROL, REDACT];
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

/// The programs for users, and the crates for tests only.
const RELEASED: &[&str] = &[CLI, DESKTOP];
const NEVER_RELEASED: &[&str] = &[AS_USER, CORPUS, TESTKIT, "rcgen"];

/// Every dependency in the wrong direction, in words. `metadata`: the output of `cargo metadata`.
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
    for (crates, banned) in [(PURE, IMPURE), (RELEASED, NEVER_RELEASED)] {
        for member in crates {
            let reached = graph.reached_from(member);
            for banned in banned.iter().filter(|banned| reached.contains(**banned)) {
                wrong.push(format!(
                    "{member} must do without {banned}, also by way of others"
                ));
            }
        }
    }
    Ok(wrong)
}

/// Which code uses a dependency.
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

    /// A workspace with these edges: from, to, and the kind by its Cargo name.
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
    fn what_is_for_tests_must_not_be_released_by_whatever_way() {
        let edge = |from, to| (from, to, None);
        let workspace = workspace(
            &[CLI, DEMO, TESTKIT],
            &[
                edge(CLI, DEMO),
                edge(DEMO, "innocent"),
                edge("innocent", "rcgen"),
                edge(DEMO, TESTKIT),
            ],
        );

        let wrong = violations(&workspace).unwrap();

        let expected = [
            "zephyr-demo must not depend on zephyr-testkit",
            "zephyr-cli must do without zephyr-testkit, also by way of others",
            "zephyr-cli must do without rcgen, also by way of others",
        ];
        assert_eq!(wrong, expected);
    }

    #[test]
    fn released_programs_may_be_tested_with_it() {
        let workspace = workspace(
            &[CLI, TESTKIT],
            &[(CLI, TESTKIT, Some("dev")), (TESTKIT, "rcgen", None)],
        );

        assert_eq!(violations(&workspace).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_tray_program_is_put_together_without_the_command_line() {
        let workspace = workspace(
            &[DESKTOP, CLI, ENGINE],
            &[(DESKTOP, ENGINE, None), (DESKTOP, CLI, None)],
        );

        let wrong = violations(&workspace).unwrap();

        assert_eq!(wrong, ["zephyr-desktop must not depend on zephyr-cli"]);
    }

    #[test]
    fn every_crate_that_a_row_names_has_a_row() {
        let rows: BTreeSet<&str> = MAY_NAME.iter().map(|(name, ..)| *name).collect();
        let named = MAY_NAME
            .iter()
            .flat_map(|(_, program, tests)| program.iter().chain(*tests));
        let others = KEPT_BY.iter().map(|(_, keeper)| keeper);

        for name in named.chain(others).chain(PURE).chain(RELEASED) {
            assert!(rows.contains(name), "{name}");
        }
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
