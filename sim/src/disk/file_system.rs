//! The names and files of a simulated disk, and what can go wrong with every operation on them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::file::{FileImage, Outage};
use super::lies::{Deceit, Lie};
use super::names::{FileNumber, NameChange, moved};
use crate::choices::Choices;
use crate::signatures::fingerprint;

/// A disk with its files. A clone is a copy of everything.
#[derive(Clone, Debug, Default)]
pub(super) struct FileSystem {
    files: BTreeMap<FileNumber, FileImage>,
    next: FileNumber,
    durable_names: BTreeMap<PathBuf, FileNumber>,
    names: BTreeMap<PathBuf, FileNumber>,
    changes: Vec<NameChange>,
    folders: BTreeSet<PathBuf>,
    room: Option<u64>,
    /// How many operations that change something are left until the power fails.
    fuse: Option<u64>,
    has_no_power: bool,
    refuses_sync: bool,
    /// What it does and does not say.
    deceit: Deceit,
    drawn: u64,
}

impl FileSystem {
    pub(super) fn open(&self, path: &Path) -> io::Result<FileNumber> {
        self.require_power()?;
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Makes a file, or empties the one that has the name.
    pub(super) fn create(&mut self, path: &Path) -> io::Result<FileNumber> {
        self.burn()?;
        if let Some(file) = self.names.get(path).copied() {
            self.file_mut(file)?.set_len(0);
            return Ok(file);
        }
        let file = self.next;
        self.next += 1;
        self.files.insert(file, FileImage::default());
        self.change(NameChange::Link { path: path.to_path_buf(), file });
        Ok(file)
    }

    /// The names of the files and folders in a folder, in order.
    pub(super) fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.require_power()?;
        if !self.folders.contains(folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = self.names.keys().chain(&self.folders).filter(|path| path.parent() == Some(folder));
        let names: BTreeSet<_> = inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
        Ok(names.into_iter().collect())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.burn()?;
        let (from, to) = (from.to_path_buf(), to.to_path_buf());
        if self.folders.contains(&from) {
            let folders = std::mem::take(&mut self.folders).into_iter();
            self.folders = folders.map(|path| moved(&path, &from, &to)).collect();
            self.change(NameChange::RenameFolder { from, to });
        } else {
            let file = self.open(&from)?;
            self.change(NameChange::Rename { from, to, file });
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.burn()?;
        self.open(path)?;
        self.change(NameChange::Unlink { path: path.to_path_buf() });
        Ok(())
    }

    /// Folders are durable at once: nothing promises anything by the name of a folder.
    pub(super) fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.burn()?;
        if !self.folders.insert(path.to_path_buf()) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(())
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.burn()?;
        if self.deceit.forgets_sync() {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.changes);
        let (synced, left) = changes.into_iter().partition(|change| change.touches(folder));
        self.changes = left;
        let synced: Vec<NameChange> = synced;
        let kept = synced.iter().filter(|change| !(change.is_rename() && self.deceit.forgets_rename()));
        kept.for_each(|change| change.apply(&mut self.durable_names));
        Ok(())
    }

    pub(super) fn file(&self, file: FileNumber) -> io::Result<&FileImage> {
        self.require_power()?;
        self.files.get(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn write(&mut self, file: FileNumber, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.require_room(file, offset + bytes.len() as u64)?;
        let powered = self.burn();
        // The write during which the power fails may reach the disk, too.
        match self.deceit.misdirects() {
            None => self.file_mut(file)?.write(offset, bytes),
            Some(number) => self.misdirect((file, offset), bytes, number)?,
        }
        powered
    }

    /// A write lands at another place of its file, or of another file. Readers see it where it should be, until the
    /// power fails.
    fn misdirect(&mut self, (file, offset): (FileNumber, u64), bytes: &[u8], number: u64) -> io::Result<()> {
        self.file_mut(file)?.pretend(offset, bytes);
        let named: Vec<_> = self.names.values().copied().collect();
        let stranger = named.get(usize::try_from(number % named.len().max(1) as u64).unwrap_or(0));
        let other = if number.is_multiple_of(2) { file } else { stranger.copied().unwrap_or(file) };
        self.file_mut(other)?.overwrite(number / 2, bytes);
        Ok(())
    }

    pub(super) fn set_len(&mut self, file: FileNumber, bytes: u64) -> io::Result<()> {
        self.require_room(file, bytes)?;
        self.burn()?;
        self.file_mut(file)?.set_len(bytes);
        Ok(())
    }

    pub(super) fn sync(&mut self, file: FileNumber) -> io::Result<()> {
        self.burn()?;
        if std::mem::take(&mut self.refuses_sync) {
            self.file_mut(file)?.fail_to_sync();
            return Err(io::Error::other("the disk did not write"));
        }
        if self.deceit.forgets_sync() {
            return Ok(());
        }
        self.file_mut(file)?.sync();
        Ok(())
    }

    pub(super) fn free_bytes(&self) -> u64 {
        self.room.map_or(u64::MAX >> 8, |room| room.saturating_sub(self.all_bytes()))
    }

    fn all_bytes(&self) -> u64 {
        self.used_bytes(Path::new(""))
    }

    /// How many bytes the files in a folder and below it have.
    pub(super) fn used_bytes(&self, folder: &Path) -> u64 {
        let inside = self.names.iter().filter(|(path, _)| path.starts_with(folder));
        inside.filter_map(|(_, file)| self.files.get(file)).map(FileImage::len).sum()
    }

    /// The next of the bytes that nobody can guess, but the world that knows the seed.
    pub(super) fn random(&mut self) -> [u8; 8] {
        self.drawn = fingerprint(self.drawn, b"random");
        self.drawn.to_le_bytes()
    }

    /// Leaves room for so many bytes more; `None` is as many as anybody wants.
    pub(super) fn leave_room(&mut self, bytes: Option<u64>) {
        self.room = bytes.map(|bytes| self.all_bytes() + bytes);
    }

    /// The power fails at the `operations`-th operation from now on.
    pub(super) fn light_fuse(&mut self, operations: Option<u64>) {
        self.fuse = operations;
    }

    pub(super) fn has_power(&self) -> bool {
        !self.has_no_power
    }

    /// The next sync of a file fails.
    pub(super) fn refuse_next_sync(&mut self) {
        self.refuses_sync = true;
    }

    /// From now on, until the power fails, it lies in this way; `number` decides where a misdirected write lands.
    pub(super) fn lie(&mut self, lie: Lie, number: u64) {
        self.deceit = Deceit::begin(lie, number);
    }

    /// Whether it has lied since it was told to.
    pub(super) fn has_lied(&self) -> bool {
        self.deceit.has_lied()
    }

    /// It is an honest disk from now on.
    pub(super) fn end_lies(&mut self) {
        self.deceit = Deceit::default();
    }

    /// The power was gone and is back. Says whether anything that was written is not there any more.
    pub(super) fn lose_power(&mut self, choices: &mut Choices) -> bool {
        let outage = Outage::draw(choices);
        let changes = std::mem::take(&mut self.changes);
        for change in changes {
            let keeps = match outage {
                Outage::LosesAll => false,
                Outage::KeepsAll => true,
                Outage::CutsOne | Outage::Scatters => choices.chance(500),
            };
            if keeps {
                change.apply(&mut self.durable_names);
            }
        }
        let mut has_lost = self.durable_names != self.names;
        self.names.clone_from(&self.durable_names);
        for file in self.files.values_mut() {
            has_lost |= file.lose_power(outage, choices);
        }
        self.end_lies();
        self.restart();
        has_lost
    }

    /// The process ended, the machine did not: what was written is still there, though not durable.
    pub(super) fn restart(&mut self) {
        self.has_no_power = false;
        self.fuse = None;
        self.refuses_sync = false;
        // Nobody has a file open any more.
        self.forget_nameless();
    }

    /// The paths and lengths of all files.
    pub(super) fn contents(&self) -> Vec<(PathBuf, u64)> {
        let with_length = |(path, file): (&PathBuf, &FileNumber)| Some((path.clone(), self.files.get(file)?.len()));
        self.names.iter().filter_map(with_length).collect()
    }

    /// What a reader sees of a file.
    pub(super) fn bytes(&self, path: &Path) -> Option<&[u8]> {
        let file = self.files.get(self.names.get(path)?)?;
        file.read(0, usize::try_from(file.len()).ok()?)
    }

    /// The disk changes a file by itself.
    pub(super) fn damage(&mut self, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
        if let Some(file) = self.names.get(path).and_then(|file| self.files.get_mut(file)) {
            file.damage(damage);
        }
    }

    /// The disk loses a file.
    pub(super) fn lose(&mut self, path: &Path) {
        self.names.remove(path);
        self.durable_names.remove(path);
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn forget_nameless(&mut self) {
        let named: BTreeSet<_> = self.names.values().chain(self.durable_names.values()).copied().collect();
        let waiting: BTreeSet<_> = self.changes.iter().filter_map(NameChange::file).collect();
        self.files.retain(|file, _| named.contains(file) || waiting.contains(file));
    }

    fn file_mut(&mut self, file: FileNumber) -> io::Result<&mut FileImage> {
        self.files.get_mut(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn require_room(&self, file: FileNumber, end: u64) -> io::Result<()> {
        let more = end.saturating_sub(self.file(file)?.len());
        if more > self.free_bytes() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn require_power(&self) -> io::Result<()> {
        if self.has_no_power { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    /// One operation more.
    fn burn(&mut self) -> io::Result<()> {
        self.require_power()?;
        if let Some(fuse) = &mut self.fuse {
            *fuse = fuse.saturating_sub(1);
            self.has_no_power = *fuse == 0;
        }
        self.require_power()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        Path::new("home").join(name)
    }

    #[test]
    fn a_rename_is_durable_with_its_folder() {
        let (mut kept, mut lost) = (0, 0);
        for seed in 0..50 {
            let mut disk = FileSystem::default();
            disk.create_folder(Path::new("home")).unwrap();
            let file = disk.create(&path("a")).unwrap();
            disk.write(file, 0, b"x").unwrap();
            disk.sync(file).unwrap();
            disk.sync_folder(Path::new("home")).unwrap();
            disk.rename(&path("a"), &path("b")).unwrap();
            disk.lose_power(&mut Choices::from_seed(seed));
            match disk.list(Path::new("home")).unwrap().as_slice() {
                [name] if name == "a" => lost += 1,
                [name] if name == "b" => kept += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(kept > 5 && lost > 5, "{kept} {lost}");
    }

    /// A disk with a synced file `a` of two blocks.
    fn disk_with_a_file() -> (FileSystem, FileNumber) {
        let mut disk = FileSystem::default();
        disk.create_folder(Path::new("home")).unwrap();
        let file = disk.create(&path("a")).unwrap();
        disk.write(file, 0, &[1; 8192]).unwrap();
        disk.sync(file).unwrap();
        disk.sync_folder(Path::new("home")).unwrap();
        (disk, file)
    }

    #[test]
    fn a_disk_that_lies_about_syncs_loses_what_it_confirmed_when_the_power_fails() {
        let lost = (0..50).filter(|seed| {
            let (mut disk, file) = disk_with_a_file();
            disk.lie(Lie::Sync, 0);
            disk.write(file, 0, b"promise").unwrap();
            disk.sync(file).unwrap();
            assert_eq!(disk.file(file).unwrap().read(0, 7), Some(&b"promise"[..]), "nothing shows before");
            disk.lose_power(&mut Choices::from_seed(*seed));
            disk.file(file).unwrap().read(0, 7) != Some(&b"promise"[..])
        });
        assert!(lost.count() > 10);
    }

    #[test]
    fn a_forgotten_rename_leaves_the_old_name_after_a_power_failure() {
        let (mut disk, _) = disk_with_a_file();
        disk.lie(Lie::Rename, 0);
        disk.rename(&path("a"), &path("b")).unwrap();
        disk.sync_folder(Path::new("home")).unwrap();
        assert!(disk.has_lied() && disk.open(&path("b")).is_ok());
        disk.lose_power(&mut Choices::from_seed(0));
        assert_eq!(disk.list(Path::new("home")).unwrap(), ["a"]);
    }

    #[test]
    fn a_misdirected_write_shows_after_a_power_failure() {
        let (mut disk, file) = disk_with_a_file();
        disk.lie(Lie::Write, 2 * 4096);
        disk.write(file, 0, &[7; 100]).unwrap();
        disk.sync(file).unwrap();
        assert_eq!(disk.file(file).unwrap().read(0, 100), Some(&[7; 100][..]));
        disk.lose_power(&mut Choices::from_seed(0));
        let content = disk.bytes(&path("a")).unwrap();
        assert!(content[..4096].iter().all(|byte| *byte == 1), "it never came to where it should be");
        assert_eq!(content[4096..4196], [7; 100]);
    }

    #[test]
    fn nothing_happens_without_power_until_the_next_start() {
        let mut disk = FileSystem::default();
        let file = disk.create(&path("a")).unwrap();
        disk.light_fuse(Some(2));
        disk.write(file, 0, b"x").unwrap();
        assert!(disk.sync(file).is_err());
        assert!(disk.open(&path("a")).is_err() && disk.file(file).is_err());
        assert!(!disk.has_power());
        disk.restart();
        assert_eq!(disk.bytes(&path("a")), Some(&b"x"[..]));
    }

    #[test]
    fn a_full_disk_refuses_what_makes_a_file_longer() {
        let mut disk = FileSystem::default();
        let file = disk.create(&path("a")).unwrap();
        disk.set_len(file, 10).unwrap();
        disk.leave_room(Some(2));
        assert_eq!(disk.free_bytes(), 2);
        disk.write(file, 0, &[1; 10]).unwrap();
        assert_eq!(disk.write(file, 5, &[1; 10]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
