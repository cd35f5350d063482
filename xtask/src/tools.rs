//! What the steps need besides Rust and Node. If something is missing, it is installed if possible; otherwise
//! the error says what to install.
//!
//! System packages are installed with `apt-get` if that exists and is allowed (as root, or with `sudo`
//! without a password). Everything else goes to the target folder and leaves the system unchanged.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, output, run, succeeds};

/// The version of cargo-deny that `deny.toml` was tested with. Newer versions should read it too.
const CARGO_DENY: &str = "0.20.2";

/// The version of cargo-cyclonedx whose output `sbom` reads.
const CARGO_CYCLONEDX: &str = "0.5.9";

const OLDEST_NODE: u32 = 20;

/// Formatter and linter of the pinned toolchain.
pub(crate) fn rust_components() -> Result<()> {
    let present = || {
        ["fmt", "clippy"]
            .iter()
            .all(|tool| succeeds(cargo().args([tool, "--version"])))
    };
    if present() {
        return Ok(());
    }
    let install = ["component", "add", "rustfmt", "clippy"];
    if succeeds(Command::new("rustup").arg("--version")) {
        run(Command::new("rustup").args(install))?;
    }
    if !present() {
        bail!("rustfmt and clippy are missing: `rustup component add rustfmt clippy`");
    }
    Ok(())
}

/// For the crates with C code.
pub(crate) fn c_compiler() -> Result<()> {
    let present = || {
        // On Windows the compiler is found through the registry, not through PATH.
        cfg!(windows) || succeeds(Command::new(compiler()).arg("--version"))
    };
    let advice = "a C compiler is missing: on Debian `apt-get install gcc libc6-dev`, \
                  on macOS `xcode-select --install`";
    need(present, &["gcc", "libc6-dev"], advice)
}

/// For the tests that need a message bus of their own.
pub(crate) fn message_bus() -> Result<()> {
    let present =
        || !cfg!(target_os = "linux") || succeeds(Command::new("dbus-daemon").arg("--version"));
    let advice = "dbus-daemon is missing: on Debian `apt-get install dbus`";
    need(present, &["dbus"], advice)
}

/// For the clients that come from npm.
pub(crate) fn node() -> Result<()> {
    let version = output(Command::new("node").arg("--version"));
    let major = version
        .as_deref()
        .and_then(|version| version.trim_start_matches('v').split('.').next());
    let major = major.and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        let found = version.as_deref().unwrap_or("none");
        bail!("Node {OLDEST_NODE} or newer is needed, {found} was found: see https://nodejs.org");
    }
    if !succeeds(npm().arg("--version")) {
        bail!("npm is missing, though Node is there: install it from where Node came");
    }
    Ok(())
}

/// For the client that comes from PyPI. Its oldest Python is that of `tests/clients/requirements.txt`.
pub(crate) fn python() -> Result<()> {
    let suits = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";
    let present = || succeeds(python_command().args(["-c", suits]));
    let advice = "Python 3.11 or newer with venv is missing: on Debian `apt-get install \
                  python3-venv`, elsewhere see https://www.python.org/downloads";
    need(present, &["python3", "python3-venv"], advice)
}

/// What the tray program needs on Linux, for the build and at run time.
pub(crate) fn window() -> Result<()> {
    let present = || {
        let webkit = ["--exists", "webkit2gtk-4.1"];
        let cache = output(Command::new("/sbin/ldconfig").arg("-p"));
        succeeds(Command::new("pkg-config").args(webkit))
            && cache.is_some_and(|cache| cache.contains("libayatana-appindicator3.so.1"))
    };
    let packages = [
        "libayatana-appindicator3-1",
        "libwebkit2gtk-4.1-dev",
        "pkg-config",
    ];
    on_linux(present, &packages)
}

/// The desktops on which the tray program is tested.
pub(crate) fn desktop() -> Result<()> {
    window()?;
    let program =
        |name: &str| succeeds(Command::new("sh").args(["-c", &format!("command -v {name}")]));
    let programs = [
        "Xvfb",
        "dbus-daemon",
        "gnome-keyring-daemon",
        "secret-tool",
        "WebKitWebDriver",
    ];
    let present = || {
        let fonts = output(Command::new("fc-list").args([":", "family"]));
        fonts.is_some_and(|fonts| fonts.contains("CJK") && fonts.contains("DejaVu"))
            && programs.into_iter().all(program)
    };
    let packages = [
        "dbus",
        "fontconfig",
        "fonts-dejavu-core",
        "fonts-noto-cjk",
        "gnome-keyring",
        "libsecret-tools",
        "webkit2gtk-driver",
        "xvfb",
    ];
    on_linux(present, &packages)
}

/// The browser in which the interface is tested.
pub(crate) fn browser() -> Result<()> {
    let present = || {
        let fonts = output(Command::new("fc-list").args([":", "family"]));
        fonts.is_some_and(|fonts| fonts.contains("CJK") && fonts.contains("DejaVu"))
            && succeeds(Command::new("chromium").arg("--version"))
    };
    let packages = [
        "chromium",
        "fontconfig",
        "fonts-dejavu-core",
        "fonts-noto-cjk",
    ];
    on_linux(present, &packages)
}

/// Packages that are needed only on Linux, by their Debian names.
fn on_linux(present: impl Fn() -> bool, packages: &[&str]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let advice = format!(
        "what is needed for this is missing: on Debian `apt-get install {}`",
        packages.join(" ")
    );
    need(present, packages, &advice)
}

/// Python, before we have an environment of our own.
pub(crate) fn python_command() -> Command {
    Command::new(if cfg!(windows) { "python" } else { "python3" })
}

/// Node's package manager.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// The installed cargo-deny, or one that is built in the target folder.
pub(crate) fn cargo_deny(target: &Path) -> Result<Command> {
    if succeeds(Command::new("cargo-deny").arg("--version")) {
        return Ok(Command::new("cargo-deny"));
    }
    cargo_tool("cargo-deny", CARGO_DENY, &[], target)
}

/// cargo-cyclonedx, built in the target folder.
pub(crate) fn cargo_cyclonedx(target: &Path) -> Result<Command> {
    let mut tool = cargo_tool("cargo-cyclonedx", CARGO_CYCLONEDX, &["cyclonedx"], target)?;
    tool.arg("cyclonedx");
    Ok(tool)
}

/// A tool from crates.io in one version, built in the target folder. `asked`: the arguments before
/// `--version`.
fn cargo_tool(name: &str, version: &str, asked: &[&str], target: &Path) -> Result<Command> {
    let tools = target.join("tools");
    let program = tools.join("bin").join(executable(name));
    let installed = output(Command::new(&program).args(asked).arg("--version"));
    if installed.is_none_or(|installed| !installed.ends_with(version)) {
        println!("{name} {version} is not installed: building it takes some minutes, once");
        let mut install = cargo();
        install
            .args(["install", name, "--locked", "--version", version, "--root"])
            .arg(&tools)
            .env("CARGO_TARGET_DIR", tools.join("build"));
        run(&mut install).with_context(|| format!("{name} could not be installed"))?;
    }
    Ok(Command::new(program))
}

/// Makes a tool that starts Cargo use our target folder.
pub(crate) fn in_target(mut command: Command, target: &Path) -> Command {
    command.env("CARGO_TARGET_DIR", target);
    command
}

/// The file name of a program.
pub(crate) fn executable(name: &str) -> PathBuf {
    Path::new(name).with_extension(std::env::consts::EXE_EXTENSION)
}

fn need(present: impl Fn() -> bool, packages: &[&str], advice: &str) -> Result<()> {
    if present() {
        return Ok(());
    }
    if let Some(apt) = Apt::find() {
        apt.install(packages)?;
    }
    if !present() {
        bail!("{advice}");
    }
    Ok(())
}

fn compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".to_owned())
}

/// Debian's package manager, with the necessary rights.
#[derive(Clone, Copy, Debug)]
enum Apt {
    AsRoot,
    WithSudo,
}

impl Apt {
    fn find() -> Option<Self> {
        if !succeeds(Command::new("apt-get").arg("--version")) {
            return None;
        }
        if output(Command::new("id").arg("-u")).as_deref() == Some("0") {
            return Some(Self::AsRoot);
        }
        succeeds(Command::new("sudo").args(["-n", "true"])).then_some(Self::WithSudo)
    }

    fn install(self, packages: &[&str]) -> Result<()> {
        run(self.command().arg("update"))?;
        run(self
            .command()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages))
    }

    fn command(self) -> Command {
        let mut command = match self {
            Self::AsRoot => Command::new("apt-get"),
            Self::WithSudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                sudo
            }
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}
