//! Processes that end with their test.
//!
//! Each is the head of a process group of its own, and what it starts is in it: a browser engine's
//! helpers, a driver's browser. The group is killed when the [`Process`] is dropped. A test that is
//! itself killed drops nothing: for that there is the [`Leash`], a shell that waits for the test's end
//! and then kills the groups that are left and deletes the test's folder.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command as StdCommand, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::waiting::patiently;

/// A process and what it starts.
#[derive(Debug)]
pub struct Process {
    name: String,
    group: Pid,
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// How a process ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it said, on standard output and standard error together.
    pub said: String,
}

impl Process {
    /// Starts it, on this leash. What it says is shown if the test fails.
    pub(crate) fn start(name: &str, mut command: Command, leash: &Leash) -> Self {
        let mut child = command
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} should start: {error}"));
        let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let group = group.expect("a process that was just started has an id");
        leash.hold(group);

        let said = Arc::new(Mutex::new(String::new()));
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let readers = vec![listen(name, stdout, &said), listen(name, stderr, &said)];
        Self {
            name: name.to_owned(),
            group,
            child,
            said,
            readers,
        }
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.group.as_raw_nonzero().get().cast_unsigned()
    }

    /// The names of the processes of its group that have not ended.
    pub(crate) fn group(&self) -> Vec<String> {
        let members = self.members();
        members.into_iter().map(|member| member.name).collect()
    }

    /// What its group uses, and has used.
    pub(crate) fn cost(&self) -> Cost {
        let ticks_a_second = rustix::param::clock_ticks_per_second();
        let mut cost = Cost::default();
        for member in self.members() {
            cost.memory += member.memory;
            cost.processor +=
                Duration::from_secs(member.ticks) / u32::try_from(ticks_a_second).unwrap_or(100);
        }
        cost
    }

    fn members(&self) -> Vec<Member> {
        let processes = std::fs::read_dir("/proc").expect("Linux has /proc");
        let members = processes.flatten();
        members
            .filter_map(|process| Member::read(&process.path(), self.group))
            .collect()
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        // It may have ended by itself, which is for `ended` to find.
        let _ = kill_process(self.group, Signal::TERM);
    }

    /// Kills it and what it has started: it has no chance to put anything in order.
    pub async fn kill(mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = patiently(&format!("{}'s end", self.name), self.child.wait()).await;
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let what = format!("{}'s end", self.name);
        let status = patiently(&what, self.child.wait()).await;
        let status = status.expect("a child's end can be waited for");
        // A helper that is about to end may still hold the pipes.
        let readers = std::mem::take(&mut self.readers);
        patiently(&format!("the end of {}'s output", self.name), async {
            for reader in readers {
                let _ = reader.await;
            }
        })
        .await;
        Ended {
            code: status.code(),
            said: self.said(),
        }
    }
}

/// What processes use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// In bytes, with each shared page divided among those who share it.
    pub memory: u64,
    /// Since their start.
    pub processor: Duration,
}

struct Member {
    name: String,
    ticks: u64,
    memory: u64,
}

impl Member {
    /// None if it is of another group, or has ended.
    fn read(process: &Path, group: Pid) -> Option<Self> {
        let stat = std::fs::read_to_string(process.join("stat")).ok()?;
        // `PID (NAME) STATE PARENT GROUP …`, and a name may have any letter in it.
        let (start, rest) = stat.rsplit_once(") ")?;
        let (_, name) = start.split_once('(')?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let [state, _parent, of, ..] = fields.as_slice() else {
            return None;
        };
        if *state == "Z" || *of != group.as_raw_nonzero().to_string() {
            return None;
        }
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let rollup = std::fs::read_to_string(process.join("smaps_rollup")).unwrap_or_default();
        let kibibytes = rollup.lines().find_map(|line| {
            let value = line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?;
            value.parse::<u64>().ok()
        });
        Some(Self {
            name: name.to_owned(),
            // In user and in kernel mode.
            ticks: number(11)? + number(12)?,
            memory: kibibytes.unwrap_or(0) * 1024,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

/// Ends what a test leaves behind, whatever happens to the test.
#[derive(Debug)]
pub(crate) struct Leash {
    shell: std::process::Child,
    groups: Mutex<Option<ChildStdin>>,
}

impl Leash {
    /// Deletes `folder` at the end, too.
    pub(crate) fn with(folder: &Path) -> Self {
        let mut shell = StdCommand::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(folder)
            // Not in the test's own group: a Ctrl-C that ends the test must not end this.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("every Unix has a shell");
        let groups = Mutex::new(shell.stdin.take());
        Self { shell, groups }
    }

    fn hold(&self, group: Pid) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(groups) = groups.as_mut() {
            let line = format!("{}\n", group.as_raw_nonzero());
            groups.write_all(line.as_bytes()).expect("the shell reads");
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // The end of its input is what the shell waits for.
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        drop(groups.take());
        let _ = self.shell.wait();
    }
}

const SCRIPT: &str = r#"
while read -r group; do groups="$groups -$group"; done
[ -z "$groups" ] || kill -s KILL -- $groups
rm -rf -- "$1"
"#;

/// Notes what comes out of a pipe, and shows it as the test's own output.
fn listen(
    name: &str,
    pipe: impl AsyncRead + Unpin + Send + 'static,
    said: &Arc<Mutex<String>>,
) -> JoinHandle<()> {
    let (name, said) = (name.to_owned(), Arc::clone(said));
    tokio::spawn(async move {
        let mut lines = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            println!("{name}: {line}");
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    })
}
