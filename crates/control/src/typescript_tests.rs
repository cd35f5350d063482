//! The contract's types for TypeScript: one generated file that the user interface imports.
//!
//! It is committed, so that building the interface needs no Rust. `UPDATE_TYPES=1 cargo test -p
//! zephyr-control` writes it anew. The type of every number is `number`: times in milliseconds and
//! counters stay far below 2^53.

use std::collections::BTreeMap;
use std::path::Path;

use ts_rs::{Config, TS, TypeVisitor};

use crate::privilege::Standing;
use crate::{
    Command, Complaint, Configuration, ControlError, Diagnosis, Done, EndpointHistory,
    HistoryQuery, Paging, RequestDetail, RequestFilter, RequestPage, Snapshot, Tested, UsageQuery,
    UsageReport,
};

#[test]
fn the_generated_types_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/generated/control.ts");
    let types = types();

    if std::env::var_os("UPDATE_TYPES").is_some() {
        std::fs::write(&path, &types).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();

    assert!(
        committed.replace("\r\n", "\n") == types,
        "{} is stale; `UPDATE_TYPES=1 cargo test -p zephyr-control` writes it anew",
        path.display()
    );
}

fn types() -> String {
    let mut declarations = Declarations {
        config: Config::new().with_large_int("number"),
        by_name: BTreeMap::new(),
    };
    declarations.visit::<Snapshot>();
    declarations.visit::<Command>();
    declarations.visit::<Done>();
    declarations.visit::<ControlError>();
    declarations.visit::<Standing>();
    declarations.visit::<RequestFilter>();
    declarations.visit::<Paging>();
    declarations.visit::<RequestPage>();
    declarations.visit::<RequestDetail>();
    declarations.visit::<UsageQuery>();
    declarations.visit::<UsageReport>();
    declarations.visit::<HistoryQuery>();
    declarations.visit::<EndpointHistory>();
    declarations.visit::<Configuration>();
    declarations.visit::<Complaint>();
    declarations.visit::<Tested>();
    declarations.visit::<Diagnosis>();
    let head = "// Generated from crates/control by its tests. Do not edit.\n";
    std::iter::once(head.to_owned())
        .chain(declarations.by_name.into_values())
        .collect()
}

struct Declarations {
    config: Config,
    /// Sorted, since the macro names dependencies in a random order.
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let name = T::name(&self.config);
        // What has no file of its own is a type that TypeScript knows.
        if T::output_path().is_none() || self.by_name.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = in_lines(&T::decl(&self.config));
        let text = format!("\n{docs}export {declaration}\n");
        self.by_name.insert(name, text);
        T::visit_dependencies(self);
    }
}

/// A declaration in which every field and every variant has its line.
fn in_lines(declaration: &str) -> String {
    declaration
        .replace("\n/**\n * ", "\n  /** ")
        .replace("\n */\n", " */\n  ")
        .replace(", }", "\n}")
        .replace("| {", "\n  | {")
        .replace(", \n", ",\n")
        .replace("{ \n", "{\n")
        .replace(" \n", "\n")
}
