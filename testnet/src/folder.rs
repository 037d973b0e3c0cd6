//! [`NetworkFolder`]: the temporary folder of a network, which nothing leaves behind for long.
//!
//! A process that is killed with SIGKILL removes nothing. So a folder that is not to be kept holds a file that its owner
//! has locked, and whoever makes the next one removes those whose owner has ended.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::error::TestnetError;

/// How the names of such folders begin.
const PREFIX: &str = "quorate-testnet-";
/// The file that is locked while the owner of a folder lives.
const OWNER: &str = "owner";
/// The same file until it is locked.
const OWNER_UNLOCKED: &str = "owner.new";

/// The temporary folder of a network. Dropping it removes it, unless it is to be kept.
#[derive(Debug)]
pub(crate) struct NetworkFolder {
    folder: TempDir,
    keep: bool,
    /// Locked as long as this value lives.
    owner: Option<File>,
}

impl NetworkFolder {
    /// Makes a folder, and removes those that killed processes have left.
    pub(crate) fn create(keep: bool) -> Result<Self, TestnetError> {
        remove_abandoned(&std::env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).disable_cleanup(keep).tempdir();
        let folder = folder.map_err(|source| TestnetError::System { doing: "make a temporary folder", source })?;
        Ok(NetworkFolder { folder, keep, owner: None })
    }

    /// From now on the folder is removed by somebody else when this process ends without doing so, unless it is kept.
    pub(crate) fn claim(&mut self) -> Result<(), TestnetError> {
        if !self.keep {
            let owner = lock(self.path()).map_err(|source| TestnetError::System { doing: "lock a folder", source })?;
            self.owner = Some(owner);
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes the folder unless it is kept.
    pub(crate) fn close(self) -> Result<(), TestnetError> {
        if self.keep {
            return Ok(());
        }
        let path = self.folder.path().to_path_buf();
        self.folder.close().map_err(|source| TestnetError::File { path, doing: "remove", source })
    }
}

/// Nobody sees the file under its name before it is locked.
fn lock(folder: &Path) -> io::Result<File> {
    let unlocked = folder.join(OWNER_UNLOCKED);
    let file = File::create(&unlocked)?;
    file.lock()?;
    fs::rename(unlocked, folder.join(OWNER))?;
    Ok(file)
}

/// Removes the folders of networks whose owners have ended without doing so. What cannot be removed is left.
fn remove_abandoned(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let is_abandoned = File::open(entry.path().join(OWNER)).is_ok_and(|owner| owner.try_lock().is_ok());
        if is_abandoned && fs::remove_dir_all(entry.path()).is_ok() {
            let path = entry.path();
            crate::display::write_line(&format!("removed {}, which a killed process had left", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_whose_owner_has_ended_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (abandoned, used) = (folder("quorate-testnet-a"), folder("quorate-testnet-b"));
        let (kept, foreign) = (folder("quorate-testnet-c"), folder("other-d"));
        drop(lock(&abandoned).unwrap());
        let owner = lock(&used).unwrap();
        fs::write(foreign.join(OWNER), "").unwrap();
        remove_abandoned(parent.path());
        assert_eq!([&abandoned, &used, &kept, &foreign].map(|path| path.exists()), [false, true, true, true]);
        drop(owner);
    }
}
