//! Launch at login.

use std::path::{Path, PathBuf};

use zephyr_desktop_test::{Desktop, Zephyr, until};

use crate::Three;

#[tokio::test]
async fn launching_at_login_is_set_up_and_taken_back_by_the_menu() {
    let desktop = Desktop::complete().await;
    let three = Three::start().await;
    desktop.configure(&three.configuration());
    let (_folder, program) = in_a_folder_with_spaces();
    let mut command = desktop.zephyr_command(&program);
    command.arg("--config").arg(desktop.config_path());
    let zephyr = Zephyr::start_as(&desktop, command);
    let tray = zephyr.tray().await;
    desktop.proxy().await;
    tray.until_unchecked("Launch at login").await;
    assert!(entries(&desktop).is_empty());

    tray.click("Launch at login").await;

    tray.until_checked("Launch at login").await;
    let entry = until("a desktop entry", async || entries(&desktop).pop()).await;
    let text = std::fs::read_to_string(&entry).unwrap();
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec="));
    let quoted = format!("{:?}", program.to_string_lossy());
    assert!(exec.is_some_and(|exec| exec.starts_with(&quoted)), "{text}");
    let config = std::fs::read_to_string(desktop.config_path()).unwrap();
    assert!(config.contains("launch_at_login = true"), "{config}");

    tray.click("Launch at login").await;

    tray.until_unchecked("Launch at login").await;
    until("the desktop entry to go", async || {
        entries(&desktop).is_empty().then_some(())
    })
    .await;
}

fn entries(desktop: &Desktop) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(desktop.config_home().join("autostart"));
    let entries = folder.into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "desktop"))
        .collect()
}

/// The program at a place that a careless entry would split.
fn in_a_folder_with_spaces() -> (tempfile::TempDir, PathBuf) {
    let program = std::env::var("ZEPHYR_TEST_DESKTOP").unwrap();
    let program = Path::new(&program);
    let beside = program.parent().unwrap();
    let prefix = "a folder with spaces ";
    let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(beside);
    let folder = folder.unwrap();
    let linked = folder.path().join("zephyr-desktop");
    std::fs::hard_link(program, &linked).unwrap();
    (folder, linked)
}
