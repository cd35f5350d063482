//! The documents against the built program: keys of the configuration, metrics, commands, exit codes.
//!
//! Only the program and the files are looked at, so moving code between crates changes nothing here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const GUIDE: &str = "docs/guide.md";
const README: &str = "README.md";

/// What begins like a command in the documents and is none.
const NO_COMMANDS: &[&str] = &[
    // A text that is signed.
    "zephyr admin port",
];

#[test]
fn every_key_of_the_schema_is_in_the_example_and_the_other_way_round() {
    let home = Home::new();
    let schema: Value = serde_json::from_str(&home.says(&["config", "schema"])).unwrap();
    let text = document("config.toml.example");
    let example: toml::Table = uncommented(&text).parse().unwrap();
    let mut in_schema = BTreeSet::new();
    keys_of_schema(&schema, "", &mut in_schema);
    let mut in_example = BTreeSet::new();
    let example = serde_json::to_value(example).unwrap();
    keys_of_example(&example, &schema, "", &mut in_example);
    for key in listed_in_comments(&text) {
        in_example.insert(format!(".groups.endpoints.{key}"));
    }
    // A group's `health_check` takes keys of the table of that name, where they are explained.
    let of_table: Vec<String> = in_example
        .iter()
        .filter_map(|key| key.strip_prefix(".health_check"))
        .map(|key| format!(".groups.health_check{key}"))
        .filter(|key| in_schema.contains(key))
        .collect();
    in_example.extend(of_table);

    assert!(in_schema.len() > 80, "{}", in_schema.len());
    assert_same(&in_schema, "the schema", &in_example, "config.toml.example");
}

#[test]
fn a_key_that_the_documents_mention_exists() {
    let home = Home::new();
    let schema: Value = serde_json::from_str(&home.says(&["config", "schema"])).unwrap();

    let mut seen = 0;
    for name in [README, GUIDE] {
        for mentioned in quoted(&document(name).replace("```", "")) {
            let key = mentioned.split([' ', '=']).next().unwrap_or("");
            let Some((table, key)) = key.split_once('.') else {
                continue;
            };
            if let Some(keys) = schema["properties"][table]["properties"].as_object() {
                assert!(keys.contains_key(key), "{name}: {mentioned}");
                seen += 1;
            }
        }
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn a_key_without_effect_yet_is_marked_so_wherever_it_is_listed() {
    let home = Home::new();
    let schema: Value = serde_json::from_str(&home.says(&["config", "schema"])).unwrap();
    let endpoint = &schema["properties"]["groups"]["items"]["properties"]["endpoints"]["items"];
    let endpoint = endpoint["properties"].as_object().unwrap();
    let (mut warned_about, mut in_schema) = (BTreeSet::new(), BTreeSet::new());
    for (key, says) in endpoint {
        let says = says["description"].as_str().unwrap_or_default();
        if says.starts_with("No effect yet") {
            in_schema.insert(key.clone());
        }
        if says_no_effect_yet(&home, key) {
            warned_about.insert(key.clone());
        }
    }

    let example = document("config.toml.example");
    let in_example = example.lines().filter_map(|line| {
        let (key, says) = line.strip_prefix("#   ")?.split_once("  ")?;
        let is_marked = says.trim_start().starts_with("no effect yet");
        is_marked.then(|| key.to_owned())
    });
    let changelog = document("CHANGELOG.md");
    let (_, not_yet) = changelog.split_once("### Not yet").unwrap();
    let not_yet = not_yet.split("\n## ").next().unwrap_or_default();
    let in_changelog = quoted(not_yet)
        .filter(|quoted| endpoint.contains_key(*quoted))
        .map(str::to_owned);

    let program = "the program's warnings";
    assert_same(&warned_about, program, &in_schema, "the schema");
    assert_same(
        &warned_about,
        program,
        &in_example.collect(),
        "config.toml.example",
    );
    assert_same(
        &warned_about,
        program,
        &in_changelog.collect(),
        "CHANGELOG.md",
    );
}

#[test]
fn every_metric_is_in_the_guide_as_it_is_exported_and_the_other_way_round() {
    let home = Home::new();
    let exported = Exported::read(&home.metrics());

    let documented = documented_metrics(&document(GUIDE));

    assert!(exported.types.len() > 30, "{exported:?}");
    let names = |types: &BTreeMap<String, String>| types.keys().cloned().collect();
    let types = documented
        .iter()
        .map(|(name, (kind, _))| (name.clone(), kind.clone()))
        .collect();
    assert_same(&names(&exported.types), "code", &names(&types), GUIDE);
    for (name, kind) in exported.types {
        assert_eq!(types[&name], kind, "the type of {name}");
    }
    for (name, labels) in exported.labels {
        assert_eq!(documented[&name].1, labels, "the labels of {name}");
    }
}

#[test]
fn every_command_is_in_a_table_of_the_documents_and_the_other_way_round() {
    let home = Home::new();
    let commands = home.commands();
    let tables = [README, GUIDE].map(|name| command_rows(&document(name)));

    let mut documented = BTreeSet::new();
    for row in tables.iter().flatten() {
        let named = row.commands(&commands);
        for flag in &row.flags {
            let helps = named.iter().map(|command| &commands[command]);
            let has = |help: &String| words(help).any(|word| word == flag);
            assert!(helps.into_iter().any(has), "{flag} of {named:?}");
        }
        documented.extend(named);
    }

    let commands = commands.keys().cloned().collect();
    assert_same(&commands, "the program", &documented, "the tables");
}

#[test]
fn a_command_that_the_documents_mention_exists() {
    let home = Home::new();
    let commands = home.commands();

    let mut seen = 0;
    for name in [README, GUIDE] {
        for line in mentioned(&document(name)) {
            if NO_COMMANDS.iter().any(|no| line.starts_with(no)) {
                continue;
            }
            let path = command_of(&line, &commands);
            let first = line.split_whitespace().nth(1).unwrap_or("");
            let is_word = first.starts_with(|c: char| c.is_ascii_lowercase());
            assert!(!is_word || path.is_some(), "{name}: {line}");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_exit_codes_are_those_of_the_readme() {
    let home = Home::new();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    let taken = home.write("taken.toml", &configuration(&port.to_string()));
    let good = home.write("good.toml", &configuration("0"));
    let bad = home.write("bad.toml", "[server]\nport = \"x\"\n");

    let code = |words: &[&str]| home.run(words).status.code().unwrap();
    let fine = [
        code(&["--version"]),
        code(&["config", "check", "--config", &good]),
    ];
    let failed = [
        code(&["status", "--json"]),
        code(&["use", "HK", "--config", &good]),
    ];
    let wrong = [
        code(&["nonsense"]),
        code(&["config", "check", "--config", &bad]),
        code(&["serve", "--config", &taken]),
    ];

    let readme = document(README);
    let line = readme.lines().find(|line| line.starts_with("Exit codes: "));
    let documented: Vec<&str> = line
        .unwrap()
        .split([' ', '.', ','])
        .filter(|word| word.parse::<u8>().is_ok())
        .collect();
    assert_eq!(documented, ["0", "1", "2"]);
    assert_eq!((fine, failed, wrong), ([0, 0], [1, 1], [2, 2, 2]));
}

/// A home with a data folder of its own, where no instance runs.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn zephyr(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zephyr"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("ZEPHYR_DATA_DIR", self.data())
            .env_remove("ZEPHYR_CONFIG")
            .env_remove("CONFIG_FILE")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.zephyr(arguments).output().unwrap()
    }

    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every command that does something, such as `token set`, with its help.
    fn commands(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![Vec::new()];
        while let Some(path) = open.pop() {
            let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
            let help = self.says(&arguments);
            let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
            let below: Vec<String> = below
                .take_while(|line| !line.is_empty())
                .filter_map(|line| line.split_whitespace().next())
                .map(str::to_owned)
                .collect();
            if below.is_empty() {
                found.insert(path.join(" "), help);
            }
            open.extend(below.into_iter().map(|word| [&path[..], &[word]].concat()));
        }
        found
    }

    /// What `GET /metrics` answers, over an endpoint that nobody asks.
    fn metrics(&self) -> String {
        self.write("config.toml", &configuration("0"));
        let mut serving = Serving(
            self.zephyr(&["serve", "--config", "config.toml"])
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut stderr = BufReader::new(serving.0.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains(" is ready.\n") {
            let read = stderr.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "it ended: {said}");
        }
        let read = |name| fs::read_to_string(self.data().join(name)).unwrap();
        let instance: Value = serde_json::from_str(&read("instance.json")).unwrap();
        let admin = instance["admin"].as_str().unwrap();
        let token = read("admin-token");
        let mut stream = TcpStream::connect(admin).unwrap();
        write!(
            stream,
            "GET /metrics HTTP/1.0\r\nhost: {admin}\r\nauthorization: Bearer {}\r\n\r\n",
            token.trim()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
        answer
    }
}

/// Killed when dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn configuration(port: &str) -> String {
    format!(
        "[server]\nport = {port}\n[web_admin]\nport = 0\n[health_check]\nmode = \"off\"\n\
         [[groups]]\nname = \"main\"\nauth_type = \"passthrough\"\n\
         endpoints = [{{ name = \"A\", url = \"http://127.0.0.1:9\", proxy = \"direct\" }}]\n"
    )
}

/// Whether the program takes any table for the value of this key of an endpoint, and says that it does
/// nothing with it.
fn says_no_effect_yet(home: &Home, key: &str) -> bool {
    let endpoint = format!("url = \"http://127.0.0.1:9\", {key} = {{ a = \"b\" }}");
    let text = configuration("0").replace("url = \"http://127.0.0.1:9\"", &endpoint);
    let path = home.write("with-key.toml", &text);
    let checked = home.run(&["config", "check", "--config", &path]);
    String::from_utf8(checked.stderr)
        .unwrap()
        .contains(&format!("{key} has no effect yet"))
}

/// A file of the workspace, whichever crate this test belongs to.
fn document(name: &str) -> String {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = folders.find(|folder| folder.join("Cargo.lock").is_file());
    fs::read_to_string(root.unwrap().join(name)).unwrap()
}

fn assert_same(these: &BTreeSet<String>, here: &str, those: &BTreeSet<String>, there: &str) {
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> {
        a.difference(b).cloned().collect()
    };
    let (only_here, only_there) = (only(these, those), only(those, these));
    assert!(
        only_here.is_empty() && only_there.is_empty(),
        "only in {here}: {only_here:#?}\nonly in {there}: {only_there:#?}"
    );
}

/// The keys that take a value. `*` is a key that the user chooses.
fn keys_of_schema(says: &Value, at: &str, keys: &mut BTreeSet<String>) {
    let freely = &says["additionalProperties"];
    if let Some(properties) = says["properties"].as_object() {
        for (key, says) in properties {
            keys_of_schema(says, &format!("{at}.{key}"), keys);
        }
    } else if freely["properties"].is_object() {
        keys_of_schema(freely, &format!("{at}.*"), keys);
    } else if says["items"]["properties"].is_object() {
        keys_of_schema(&says["items"], at, keys);
    } else {
        keys.insert(at.to_owned());
    }
}

fn keys_of_example(value: &Value, says: &Value, at: &str, keys: &mut BTreeSet<String>) {
    let freely = &says["additionalProperties"];
    match value {
        Value::Object(table) if freely["properties"].is_object() => {
            for value in table.values() {
                keys_of_example(value, freely, &format!("{at}.*"), keys);
            }
        }
        Value::Object(table) => {
            for (key, value) in table {
                let says = &says["properties"][key];
                keys_of_example(value, says, &format!("{at}.{key}"), keys);
            }
        }
        Value::Array(entries) if entries.iter().any(Value::is_object) => {
            for entry in entries {
                keys_of_example(entry, &says["items"], at, keys);
            }
        }
        Value::Array(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            keys.insert(at.to_owned());
        }
    }
}

/// The example with the keys that are commented out put into force.
fn uncommented(text: &str) -> String {
    let line = |line: &str| {
        let inside = line.strip_prefix("# ").unwrap_or(line);
        let is_key = inside
            .parse::<toml::Table>()
            .is_ok_and(|table| !table.is_empty());
        format!("{}\n", if is_key { inside } else { line })
    };
    text.lines().map(line).collect()
}

/// The keys of an endpoint that stand in a list of words, one line each: `#   flag   shown before the name`.
fn listed_in_comments(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("#   "));
    lines
        .filter_map(|line| line.split("  ").next())
        .flat_map(|keys| keys.split(", "))
        .flat_map(|keys| keys.split(" or "))
        .map(str::to_owned)
        .collect()
}

/// What the program exports, by the names of samples.
#[derive(Debug, Default)]
struct Exported {
    types: BTreeMap<String, String>,
    /// Of the metrics that had a sample.
    labels: BTreeMap<String, BTreeSet<String>>,
}

impl Exported {
    fn read(text: &str) -> Self {
        let mut exported = Self::default();
        for line in text.lines() {
            if let Some(metric) = line.strip_prefix("# TYPE ") {
                let (name, kind) = metric.split_once(' ').unwrap();
                let name = match kind {
                    "counter" => format!("{name}_total"),
                    _ => name.to_owned(),
                };
                exported.types.insert(name, kind.to_owned());
            } else if line.starts_with("zephyr_") {
                let (sample, _) = line.rsplit_once(' ').unwrap();
                let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
                let of_histogram = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|part| name.strip_suffix(part));
                let name = of_histogram.unwrap_or(name).to_owned();
                let labels = labels
                    .split("\",")
                    .filter_map(|label| label.split_once('='));
                let labels = labels.map(|(label, _)| label.trim_start_matches(',').to_owned());
                let known = exported.labels.entry(name).or_default();
                known.extend(labels.filter(|label| label != "le"));
            }
        }
        exported
    }
}

/// The type and the labels of each metric in the guide's table.
fn documented_metrics(guide: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut metrics = BTreeMap::new();
    for row in guide.lines().filter(|line| line.starts_with("| `zephyr_")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels: BTreeSet<String> = quoted(cells[3]).map(str::to_owned).collect();
        for name in quoted(cells[1]) {
            let kind = cells[2].to_owned();
            metrics.insert(name.to_owned(), (kind, labels.clone()));
        }
    }
    metrics
}

/// A row of a table whose first column is headed `command`.
struct Row {
    lines: Vec<String>,
    flags: Vec<String>,
}

impl Row {
    fn commands(&self, commands: &BTreeMap<String, String>) -> Vec<String> {
        let named = self.lines.iter().map(|line| {
            let named = command_of(line, commands);
            named.unwrap_or_else(|| panic!("`{line}` is in a table and is no command"))
        });
        named.collect()
    }
}

fn command_rows(text: &str) -> Vec<Row> {
    let table = text
        .lines()
        .skip_while(|line| !line.starts_with("| command |"));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let first = row.split('|').nth(1).unwrap();
        let flags = words(row).filter(|word| word.starts_with("--") && word.len() > 2);
        Row {
            lines: quoted(first).map(str::to_owned).collect(),
            flags: flags.map(str::to_owned).collect(),
        }
    })
    .collect()
}

/// The command that a line such as `zephyr token set REF` means.
fn command_of(line: &str, commands: &BTreeMap<String, String>) -> Option<String> {
    let mut words = line.split_whitespace();
    if words.next() != Some("zephyr") {
        return None;
    }
    let words: Vec<&str> = words.collect();
    let ways = (1..=words.len()).map(|count| words[..count].join(" "));
    ways.into_iter().find(|way| commands.contains_key(way))
}

/// Everything that begins with `zephyr ` between backticks or at the beginning of a line of code.
fn mentioned(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with("zephyr "))
        .map(str::to_owned)
        .collect();
    let prose = text.lines().filter(|line| !line.starts_with("    "));
    let prose = prose.collect::<Vec<_>>().join(" ");
    found.extend(
        quoted(&prose)
            .filter(|words| words.starts_with("zephyr "))
            .map(str::to_owned),
    );
    found
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Words, options included.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
}
