//! The project's tasks: `cargo xtask run` starts Zephyr, `cargo xtask test` runs all tests.
//!
//! Both work on a machine that has only Rust and Node: they install what else they need, or say what to
//! install. Their downloads and builds stay in the target folder for the next run. A task runs programs, one
//! after the other. It also checks what no program checks: which crates and modules import which. Other
//! decisions belong in the programs that it runs.

mod bench;
mod clients;
mod desktop;
mod direction;
mod interface;
mod long;
mod machine;
mod modules;
mod process;
mod reproducible;
mod run;
mod sbom;
mod steps;
#[cfg(test)]
mod supply;
mod tally;
mod test;
mod tools;
mod unnoticed;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [--release] [ARGUMENTS]   start `zephyr serve`, or `zephyr demo` if nothing is configured
  test                          pass all tests: what CI runs
  test --long                   run the long tests, and write their results to docs/long-tests.md
  imports                       check which crates and which modules import which
  lint                          pass what starts none of the programs: format, imports, clippy, docs
  crates                        run the tests of every crate only
  clients [FILTER]              run the tests with real clients only
  unnoticed                     try Claude Code with every fault of an endpoint, and write docs/unnoticed.md
  unnoticed [--only NAME] [--warm | --cold] [--at-once N] [--list]
                                the same with some of them only, without the page
  desktop [FILTER]              run the tests of the tray program only
  browser                       run the tests of the interface in a browser only
  desktop --measure             measure the tray program's release build
  sbom                          write what the programs are made of to target/sbom, in CycloneDX
  reproducible                  build the release of `zephyr` twice and compare, and write the result to docs/long-tests.md
  bench [--rounds N] [FILTER]   measure what a request costs, beside nginx, HAProxy and a bare forwarder
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["run", rest @ ..] => run::run(rest),
        ["test"] => test::test(),
        ["test", "--long"] => long::test(),
        ["imports"] => test::imports(),
        ["lint"] => test::lint(),
        ["crates"] => test::crates(),
        ["clients"] => test::clients(None),
        ["clients", filter] => test::clients(Some(filter)),
        ["unnoticed", arguments @ ..] => unnoticed::unnoticed(arguments),
        ["desktop"] => test::desktop(None),
        ["desktop", "--measure"] => test::measure_desktop(),
        ["desktop", filter] => test::desktop(Some(filter)),
        ["browser"] => test::browser(),
        ["sbom"] => sbom::sbom(),
        ["reproducible"] => reproducible::reproducible(),
        ["bench", arguments @ ..] => bench::bench(arguments),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
