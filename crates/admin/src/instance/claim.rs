//! One program with a tray per data folder.

use std::fs;
use std::path::Path;

use zephyr_secrets::private;

use super::error::InstanceError;

/// The right to be the only program with a tray in a data folder. It ends with this value, and with the
/// process.
#[must_use]
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held for its lock")] fs::File);

/// Claims the tray of this data folder, unless another process has it.
///
/// # Errors
///
/// The folder cannot be written to.
pub fn claim_desktop(data_dir: &Path) -> Result<Option<Claim>, InstanceError> {
    let path = data_dir.join("desktop.lock");
    let opened = private::folder(data_dir).and_then(|()| private::open(&path));
    let claimed = opened.and_then(|file| match file.try_lock() {
        Ok(()) => Ok(Some(Claim(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    });
    claimed.map_err(|source| InstanceError::File { path, source })
}
