//! What must hold for whatever stands in a configuration file.

use std::time::Duration;

use zephyr_corpus::{Corpus, Random, SECRET};

const ROUNDS: usize = 500;
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_configuration_is_read_or_refused_without_its_secrets() {
    configurations().each(ROUNDS, configuration);
}

#[test]
#[ignore = "long"]
fn long_fuzz_of_configurations() {
    let inputs = configurations().for_long(LONG, configuration);
    println!("measured: inputs as configuration: {inputs:?}");
}

fn configuration(input: &[u8], _: &mut Random) {
    let text = String::from_utf8_lossy(input);
    match zephyr_config::parse(&text) {
        Ok(loaded) => assert!(!format!("{:?}", loaded.warnings).contains(SECRET)),
        Err(problems) => assert!(!problems.to_string().contains(SECRET)),
    }
}

fn configurations() -> Corpus {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let fixtures = ["claude-zephyr-full.toml", "claude-zephyr-small.toml"];
    let mut examples: Vec<Vec<u8>> = fixtures
        .iter()
        .map(|name| std::fs::read(format!("{folder}/{name}")).unwrap())
        .collect();
    examples.push(zephyr_config::EXAMPLE.as_bytes().to_vec());
    let words = [
        "\n",
        "[server]\n",
        "[[groups]]\n",
        "[groups.health_check]\n",
        "auth_token_env = \"",
        "auth_token = \"",
        "url = \"http://",
        "endpoints = [",
        "{ name = \"",
        "\"\"\"",
        "'''",
        "1979-05-27",
        "inf",
        "\\u0000",
        "= {",
        "port = ",
    ];
    Corpus::new(examples, &words)
}
