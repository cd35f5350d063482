//! Tries every fault, prints what came of it, and writes the page: started by `cargo xtask unnoticed`.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::task::JoinSet;
use zephyr_clients_test::unnoticed::{Fault, Report, Row, Start, Trial, Usual, faults};

const USAGE: &str = "\
usage: zephyr-unnoticed [--only NAME] [--warm | --cold] [--at-once N] [--list]
                        [--page FILE] [--machine TEXT] [--logs FOLDER]
";

/// The job without a fault is done this often, for each kind of start.
const ROUNDS: usize = 5;

#[derive(Debug)]
struct Arguments {
    /// A part of the names.
    only: Option<String>,
    starts: Vec<Start>,
    at_once: usize,
    list: bool,
    /// Where the page is written to.
    page: Option<PathBuf>,
    machine: String,
    /// Where Zephyr's log is kept of trials that missed their bar.
    logs: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let chosen: Vec<Fault> = faults::all()
        .into_iter()
        .filter(|fault| arguments.selects(fault))
        .collect();
    if arguments.list {
        for fault in &chosen {
            println!("{}: {}", fault.family, fault.name);
        }
        println!("{} faults", chosen.len());
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        eprintln!("no fault has such a name; --list prints all names");
        return ExitCode::from(2);
    }

    let usual = Arc::new(Usual::measure(ROUNDS).await);
    for start in &arguments.starts {
        println!("without a fault, {start:?}: {:.2?}", usual.times(*start));
    }
    let rows = try_all(chosen, &arguments, &usual).await;
    let report = Report {
        usual: &usual,
        rows,
        at_once: arguments.at_once,
        machine: arguments.machine,
    };
    let mut all_held = true;
    for start in arguments.starts {
        let (held, all) = report.held(start);
        let tried = report.tried(start);
        println!(
            "{start:?}: {tried} of {} tried, {held} of {all} held",
            report.rows.len()
        );
        all_held &= held == all && tried == report.rows.len();
    }
    if let Some(path) = arguments.page {
        if let Err(error) = fs::write(&path, report.page()) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("written to {}", path.display());
    }
    if all_held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut read = Self {
            only: None,
            starts: vec![Start::Warm, Start::Cold],
            at_once: 1,
            list: false,
            page: None,
            machine: String::new(),
            logs: None,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--only" => read.only = Some(words.next()?.to_lowercase()),
                "--warm" => read.starts = vec![Start::Warm],
                "--cold" => read.starts = vec![Start::Cold],
                "--at-once" => {
                    let count = words.next()?.parse().ok();
                    read.at_once = count.filter(|count| *count > 0)?;
                }
                "--list" => read.list = true,
                "--page" => read.page = Some(words.next()?.into()),
                "--machine" => read.machine = words.next()?,
                "--logs" => read.logs = Some(words.next()?.into()),
                _ => return None,
            }
        }
        Some(read)
    }

    fn selects(&self, fault: &Fault) -> bool {
        let name = format!("{}: {}", fault.family, fault.name).to_lowercase();
        self.only.as_ref().is_none_or(|part| name.contains(part))
    }
}

/// In the order of the faults, whatever the order in which they end.
async fn try_all(chosen: Vec<Fault>, arguments: &Arguments, usual: &Arc<Usual>) -> Vec<Row> {
    let count = chosen.len() * arguments.starts.len();
    let mut rows: Vec<Row> = chosen
        .into_iter()
        .map(|fault| Row {
            fault,
            warm: None,
            cold: None,
        })
        .collect();
    let mut waiting = VecDeque::new();
    for (index, row) in rows.iter().enumerate() {
        for start in &arguments.starts {
            waiting.push_back((index, row.fault.clone(), *start));
        }
    }
    let mut running = JoinSet::new();
    for _ in 0..arguments.at_once {
        begin_next(&mut waiting, &mut running, usual);
    }
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        let (index, start, trial) = ended.expect("what follows a trial should not panic");
        begin_next(&mut waiting, &mut running, usual);
        done += 1;
        let row = &mut rows[index];
        let Some(trial) = trial else {
            let Fault { family, name, .. } = &row.fault;
            println!("[{done}/{count}] {family}: {name}, {start:?}: NOT TRIED, see above");
            continue;
        };
        println!("[{done}/{count}] {}", trial.line(&row.fault, start, usual));
        if trial.holds(&row.fault, start, usual) == Some(false) {
            keep_log(arguments, &row.fault, start, &trial);
        }
        match start {
            Start::Warm => row.warm = Some(trial),
            Start::Cold => row.cold = Some(trial),
        }
    }
    rows
}

type Waiting = VecDeque<(usize, Fault, Start)>;

/// `None` in place of a trial: it could not be made.
type Running = JoinSet<(usize, Start, Option<Trial>)>;

fn begin_next(waiting: &mut Waiting, running: &mut Running, usual: &Arc<Usual>) {
    if let Some((index, fault, start)) = waiting.pop_front() {
        let usual = Arc::clone(usual);
        running.spawn(async move {
            // A task of its own: if it panics, the other trials go on.
            let trial = tokio::spawn(async move { Trial::run(&fault, start, &usual).await });
            (index, start, trial.await.ok())
        });
    }
}

fn keep_log(arguments: &Arguments, fault: &Fault, start: Start, trial: &Trial) {
    let Some(folder) = &arguments.logs else {
        return;
    };
    let letters = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let name: String = fault.name.chars().map(letters).collect();
    let path = folder.join(format!("{name}-{start:?}.log").to_lowercase());
    let kept = fs::create_dir_all(folder).and_then(|()| fs::write(&path, trial.log.join("\n")));
    if let Err(error) = kept {
        eprintln!("{} cannot be written: {error}", path.display());
    }
}
