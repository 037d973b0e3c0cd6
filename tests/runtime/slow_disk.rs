//! A disk that takes its time: that of a backup is nobody else's business, that of a primary costs it the lead.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use quorate::storage::{Access, Disk, DiskFile, SystemDisk};
use quorate::{NodeConfig, ReplicaId};

use crate::hub::Hub;
use crate::{add, reaches, stop_all, sum};

const SYSTEM: SystemDisk = SystemDisk { fsync: true };

/// The disk of the system. Nothing becomes durable on it while it is held.
#[derive(Clone, Debug, Default)]
struct SlowDisk(Arc<(Mutex<bool>, Condvar)>);

#[derive(Debug)]
struct SlowFile {
    file: Box<dyn DiskFile>,
    disk: SlowDisk,
}

impl SlowDisk {
    fn hold(&self) {
        *self.0.0.lock().unwrap() = true;
    }

    fn let_go(&self) {
        *self.0.0.lock().unwrap() = false;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |is_held| *is_held).unwrap());
    }

    fn file(&self, file: io::Result<Box<dyn DiskFile>>) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(SlowFile { file: file?, disk: self.clone() }))
    }
}

impl Disk for SlowDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.file(SYSTEM.open(path, access))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(SYSTEM.create(path))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        SYSTEM.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SYSTEM.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SYSTEM.remove(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        SYSTEM.create_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.wait();
        SYSTEM.sync_folder(folder)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        SYSTEM.free_bytes(folder)
    }

    fn used_bytes(&self, folder: &Path) -> io::Result<u64> {
        SYSTEM.used_bytes(folder)
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        SYSTEM.random()
    }
}

impl DiskFile for SlowFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.file.set_bytes(bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.file.allocate(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.wait();
        self.file.sync()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_disk_is_slow_does_not_slow_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new(4);
    // Nobody may be rescued by a view change.
    hub.config = NodeConfig { timeout_ms: 60_000, timeout_cap_ms: 60_000, ..hub.config };
    let disk = SlowDisk::default();
    let others: Vec<_> = (0..3).map(|id| hub.start(folder.path(), ReplicaId(id))).collect();
    let slow = hub.start_on(Arc::new(disk.clone()), folder.path(), ReplicaId(3));
    let client = hub.client();
    add(&client, 20).await;
    reaches(&slow, 20).await;
    disk.hold();
    for _ in 0..20 {
        add(&client, 5).await;
    }
    for replica in &others {
        reaches(replica, 120).await;
        assert_eq!(replica.view().view, 0);
    }
    assert_eq!(sum(&slow).await, 20, "it executes nothing that it has not made durable");
    disk.let_go();
    reaches(&slow, 120).await;
    stop_all(others);
    slow.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_whose_disk_is_slow_does_not_keep_the_lead() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let disk = SlowDisk::default();
    let slow = hub.start_on(Arc::new(disk.clone()), folder.path(), ReplicaId(0));
    let others: Vec<_> = (1..4).map(|id| hub.start(folder.path(), ReplicaId(id))).collect();
    let client = hub.client();
    add(&client, 20).await;
    disk.hold();
    for _ in 0..10 {
        add(&client, 5).await;
    }
    for replica in &others {
        reaches(replica, 70).await;
        assert!(replica.view().view >= 1);
    }
    disk.let_go();
    reaches(&slow, 70).await;
    assert_eq!(add(&client, 1).await, 71);
    reaches(&slow, 71).await;
    stop_all(others);
    slow.stop().unwrap();
}
