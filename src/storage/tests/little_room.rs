//! Starts with little room or none: what binds the replica is there, so it starts, and says that it has no room.

use std::fs;
use std::sync::Arc;

use super::records::{TestHome, put, slot, used};
use super::small_disk::SmallDisk;
use crate::core::{Recovery, Space};
use crate::storage::{Harm, Journal, Loss, Opened, Storage, loss};
use crate::types::SeqNum;

const LARGE: u64 = 1 << 20;

/// A home with a few slots in one small segment; larger ones are wanted from now on.
fn small_home() -> TestHome {
    let mut home = TestHome::new(16 << 10, 0);
    let mut journal = home.open().journal;
    for seq in 1..=3 {
        journal.append(&slot(seq, 20)).unwrap();
        journal.sync().unwrap();
    }
    drop(journal);
    home.options.segment_bytes = LARGE;
    home.options.disk_reserve_bytes = 2 * LARGE;
    home
}

/// Damages the last segment where a start keeps what lies before.
fn damage_end(home: &TestHome) {
    let mut bytes = fs::read(home.last_segment()).unwrap();
    let end = used(&bytes);
    bytes[end - 10] ^= 1;
    put(home.last_segment(), bytes);
}

fn open(home: &TestHome, room: u64) -> Opened {
    Journal::open(&home.home(), home.options, Arc::new(SmallDisk::with_room_for(room))).unwrap()
}

fn is_uncopied(loss: &Loss) -> bool {
    loss.what.contains("no room to keep a copy")
}

#[test]
fn a_full_disk_does_not_keep_a_replica_from_starting() {
    for room in [0, 4 << 10, 64 << 10] {
        let home = small_home();
        let length = fs::metadata(home.last_segment()).unwrap().len();
        let Opened { mut journal, recovered, losses, .. } = open(&home, room);
        assert_eq!(losses, [], "{room}");
        assert_eq!(recovered.promises.committed_through, SeqNum(3));
        assert_eq!(fs::metadata(home.last_segment()).unwrap().len(), length, "no more room is taken than there is");
        assert_eq!(journal.space().unwrap(), Space::Low);
        assert_eq!(journal.history().committed(SeqNum(0), SeqNum(3), usize::MAX).unwrap().len(), 3);
        journal.append(&slot(4, 20)).unwrap();
        journal.sync().unwrap();
        drop(journal);
        assert_eq!(home.open().recovered.promises.committed_through, SeqNum(4));
    }
}

#[test]
fn lost_promises_and_little_room_do_not_keep_a_replica_from_starting() {
    let home = small_home();
    damage_end(&home);
    let Opened { mut journal, recovered, losses, .. } = open(&home, 128 << 10);
    assert!(matches!(recovered.promises.recovery, Recovery::Lost(Some(_))));
    assert!(losses.iter().any(|loss| loss.harm == Harm::Promises) && !losses.iter().any(is_uncopied), "{losses:?}");
    assert_eq!(journal.space().unwrap(), Space::Low);
    journal.append(&slot(3, 20)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let again = home.open();
    assert_eq!(again.losses, []);
    assert_eq!(again.recovered.promises.recovery, recovered.promises.recovery);
}

#[test]
fn a_damaged_file_that_cannot_be_copied_does_not_keep_a_replica_from_starting_and_is_not_cut_in_silence() {
    let home = small_home();
    damage_end(&home);
    let Opened { recovered, losses, .. } = open(&home, (64 << 10) + (8 << 10));
    assert!(matches!(recovered.promises.recovery, Recovery::Lost(Some(_))));
    let uncopied = losses.iter().find(|loss| is_uncopied(loss)).unwrap();
    assert!(uncopied.offset > 0 && uncopied.harm == Harm::Nothing, "{uncopied}");
    let kept = fs::read_dir(home.path().join("damaged")).unwrap().count();
    assert_eq!(kept, 0, "half a copy takes the last room");
    assert_eq!(home.open().losses, []);
}

#[test]
fn damaged_files_never_take_more_than_their_room_and_the_oldest_go_first() {
    let home = TestHome::new(16 << 10, 0);
    let disk = crate::storage::SystemDisk { fsync: false };
    for number in 0..20u8 {
        let path = home.path().join(if number % 2 == 0 { "even" } else { "odd" });
        fs::write(&path, [number]).unwrap();
        loss::set_aside(&disk, home.path(), &path).unwrap();
    }
    let folder = home.path().join("damaged");
    let contents = || -> Vec<u8> {
        let files = fs::read_dir(&folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        let mut firsts: Vec<_> = files.map(|bytes| bytes[0]).collect();
        firsts.sort_unstable();
        firsts
    };
    assert_eq!(contents(), (4..20).collect::<Vec<u8>>());
    // Zeros without blocks.
    let path = home.path().join("large");
    fs::write(&path, [20]).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len((256 << 20) - 3).unwrap();
    let moved = loss::set_aside(&disk, home.path(), &path).unwrap().unwrap();
    let kept: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()[0]).collect();
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert!(moved.exists() && kept.contains(&19) && !kept.contains(&16));
}
