//! Durable snapshots of running replicas. A damaged or missing one never refuses a start: the journal makes up for it as
//! long as it holds the whole history.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use quorate::ReplicaId;

use super::hub::Hub;
use super::transfer;
use super::{add, reaches, start_all, stop_all};

fn store(folder: &Path, id: u16) -> PathBuf {
    folder.join(format!("{id}/snapshots/state.redb"))
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_missing_snapshots_are_made_up_for_by_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    let client = hub.client();
    for _ in 0..20 {
        add(&client, 5).await; // A slot each at least: there is a checkpoint.
    }
    stop_all(replicas);
    let bytes = fs::read(store(folder.path(), 0)).unwrap();
    let zeroed: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| if at >= 4096 { 0 } else { *byte }).collect();
    fs::write(store(folder.path(), 0), zeroed).unwrap();
    fs::write(store(folder.path(), 1), b"no store").unwrap();
    fs::remove_file(store(folder.path(), 2)).unwrap();
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    assert_eq!(add(&hub.client(), 20).await, 120);
    for replica in &replicas {
        reaches(replica, 120).await;
    }
    stop_all(replicas);
    for (id, damaged) in [(0, 1), (1, 1), (2, 0), (3, 0)] {
        let kept = fs::read_dir(folder.path().join(format!("{id}/damaged"))).map_or(0, Iterator::count);
        assert_eq!(kept, damaged, "replica {id}");
        assert!(store(folder.path(), id).exists(), "replica {id} has a snapshot again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_stopped_as_a_whole_does_not_need_a_new_checkpoint_to_prove_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    let client = hub.client();
    for _ in 0..12 {
        add(&client, 1).await; // A slot each, and a checkpoint every eight.
    }
    client.query_proven(Bytes::from_static(b"sum")).await.unwrap();
    stop_all(replicas);
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    let proven = hub.client().query_proven(Bytes::from_static(b"sum")).await.unwrap();
    assert!(proven.value.is_some());
    stop_all(replicas);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_snapshots_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(1);
    let replicas = start_all(&hub, folder.path(), 1);
    add(&hub.client(), 10).await;
    stop_all(replicas);
    let copy = fs::read(store(folder.path(), 0)).unwrap();
    let hub = Hub::new(1);
    let replicas = start_all(&hub, folder.path(), 1);
    add(&hub.client(), 10).await;
    stop_all(replicas);
    fs::write(store(folder.path(), 0), copy).unwrap();
    let hub = Hub::new(1);
    let replica = hub.start(folder.path(), ReplicaId(0));
    reaches(&replica, 20).await;
    assert_eq!(add(&hub.client(), 1).await, 21);
    replica.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_that_the_journal_cannot_replace_is_fetched_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let hub = transfer::hub();
    let mut replicas = transfer::leave_behind(&hub, folder.path()).await;
    let back = hub.start(folder.path(), ReplicaId(3));
    reaches(&back, 420).await;
    hub.disconnect(ReplicaId(3));
    back.stop().unwrap();
    // The journal has a gap now: it begins anew at the state that was fetched.
    fs::write(store(folder.path(), 3), b"no store").unwrap();
    let again = hub.start(folder.path(), ReplicaId(3));
    reaches(&again, 420).await;
    assert_eq!(add(&hub.client(), 1).await, 421);
    reaches(&again, 421).await;
    assert_eq!(fs::read_dir(folder.path().join("3/damaged")).unwrap().count(), 1);
    replicas.push(again);
    stop_all(replicas);
}

/// What a home holds beside its snapshots: the journal, and what says how far its promises reach.
fn copy_journal(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    let is_left_out = |name: &OsStr| ["snapshots", "lock"].iter().any(|left_out| name == *left_out);
    let entries = fs::read_dir(from).unwrap().map(Result::unwrap);
    for entry in entries.filter(|entry| !is_left_out(&entry.file_name())) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_journal(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A crash, or an operator, left the durable state of the application and the journal of the engine at different
/// heights. Whichever is behind: in the end both stand where everybody stands, and nothing was added up twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_and_a_journal_of_different_heights_execute_nothing_twice_and_leave_nothing_out() {
    for is_snapshot_behind in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (home, before) = (folder.path().join("3"), folder.path().join("before"));
        let hub = Hub::new(4);
        let mut replicas = start_all(&hub, folder.path(), 4);
        let client = hub.client();
        add(&client, 100).await;
        reaches(&replicas[3], 100).await;
        hub.disconnect(ReplicaId(3));
        replicas.pop().unwrap().stop().unwrap();
        copy_journal(&home, &before);
        let older_state = fs::read(store(folder.path(), 3)).unwrap();
        let back = hub.start(folder.path(), ReplicaId(3));
        for _ in 0..20 {
            add(&client, 5).await; // Slots enough for several checkpoints.
        }
        reaches(&back, 200).await;
        hub.disconnect(ReplicaId(3));
        back.stop().unwrap();

        let newer_state = fs::read(store(folder.path(), 3)).unwrap();
        if is_snapshot_behind {
            fs::write(store(folder.path(), 3), older_state).unwrap();
        } else {
            fs::remove_dir_all(&home).unwrap();
            copy_journal(&before, &home);
            fs::create_dir(home.join("snapshots")).unwrap();
            fs::write(store(folder.path(), 3), newer_state).unwrap();
        }
        let again = hub.start(folder.path(), ReplicaId(3));
        reaches(&again, 200).await;
        assert_eq!(add(&client, 1).await, 201);
        replicas.push(again);
        for replica in &replicas {
            reaches(replica, 201).await;
        }
        stop_all(replicas);
    }
}
