//! A home belongs to one replica of one network, and to one process at a time.

use std::fs;

use quorate_crypto::{Digest, KeyPair};

use super::records::{TestHome, identity, slot, view_change};
use crate::core::{JournalRecord, Recovery};
use crate::storage::{FailureClass, Home, Identity, Storage, StorageError};
use crate::types::ReplicaId;

#[test]
fn a_home_is_locked_as_long_as_anything_uses_it() {
    let home = TestHome::new(1 << 20, 0);
    let journal = home.open().journal;
    let error = Home::open_or_create(home.path(), identity()).unwrap_err();
    assert!(matches!(&error, StorageError::Locked { path } if *path == home.path().join("lock")), "{error}");
    assert_eq!(error.class().exit_code(), 75);
    drop(journal);
    Home::open_or_create(home.path(), identity()).unwrap();
}

#[test]
fn a_foreign_home_is_refused_by_name() {
    let home = TestHome::new(1 << 20, 0);
    home.open().journal.append(&slot(1, 10)).unwrap();
    let own = identity();
    let foreign = [
        Identity { chain_id: Digest::from_bytes([4; 32]), ..own },
        Identity { replica: ReplicaId(3), ..own },
        Identity { key: KeyPair::from_seed(&[2; 32]).public(), ..own },
    ];
    for other in foreign {
        let error = Home::open_or_create(home.path(), other).unwrap_err();
        assert!(matches!(error, StorageError::ForeignHome { .. }));
        assert_eq!(error.class().exit_code(), 78);
        let text = error.to_string();
        assert!(text.contains(&own.to_string()) && text.contains(&other.to_string()), "{text}");
    }
    assert_eq!(home.open().recovered.promises.committed_through.0, 1);
}

#[test]
fn a_home_that_lost_its_identity_or_its_journal_is_not_begun_anew() {
    let home = TestHome::new(1 << 20, 0);
    home.open().journal.append(&slot(1, 10)).unwrap();
    let path = home.path().join("identity");
    let text = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let error = Home::open_or_create(home.path(), identity()).unwrap_err();
    assert_eq!(error.class(), FailureClass::Damaged, "{error}");

    fs::write(&path, text).unwrap();
    fs::remove_dir_all(home.path().join("journal")).unwrap();
    fs::remove_file(home.path().join("promises")).unwrap();
    assert_eq!(home.open().recovered.promises.recovery, Recovery::Lost(None));
}

#[test]
fn a_home_without_identity_is_never_given_to_another_than_its_journal_names() {
    let own = identity();
    for text in [None, Some("nonsense")] {
        let home = TestHome::new(1 << 20, 0);
        let mut journal = home.open().journal;
        journal.append(&[JournalRecord::ViewChangeSent(view_change(3))]).unwrap();
        journal.sync().unwrap();
        drop(journal);
        let path = home.path().join("identity");
        fs::remove_file(&path).unwrap();
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        // The view change is replica 1's.
        let member = Identity { replica: ReplicaId(1), ..own };
        for other in [own, Identity { chain_id: Digest::from_bytes([4; 32]), ..member }] {
            let error = Home::adopt(home.path(), other).unwrap_err();
            assert!(matches!(error, StorageError::ForeignHome { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), text, "nothing is written");
        }
        assert_eq!(Home::adopt(home.path(), member).unwrap().identity(), member);
    }
}

#[test]
fn an_unreadable_identity_is_damage_and_another_version_is_named() {
    let home = TestHome::new(1 << 20, 0);
    home.open();
    let path = home.path().join("identity");
    let text = fs::read_to_string(&path).unwrap();
    for broken in ["", "version = 1", "\u{0}", &text.replace("replica", "replika"), &text[..text.len() - 3]] {
        fs::write(&path, broken).unwrap();
        let error = Home::open_or_create(home.path(), identity()).unwrap_err();
        assert_eq!(error.class(), FailureClass::Damaged, "{broken}: {error}");
    }
    fs::write(&path, text.replace("version = 1", "version = 2")).unwrap();
    let error = Home::open_or_create(home.path(), identity()).unwrap_err();
    assert!(matches!(error, StorageError::Version { found: 2, .. }));
}

#[test]
fn a_home_whose_making_was_interrupted_is_made_again() {
    let home = TestHome::new(1 << 20, 0);
    fs::create_dir(home.path().join("journal")).unwrap();
    fs::write(home.path().join("journal/sealed"), b"half").unwrap();
    fs::write(home.path().join("identity.tmp"), b"half").unwrap();
    home.open().journal.append(&slot(1, 10)).unwrap();
    assert_eq!(home.open().recovered.promises.committed_through.0, 1);
}

#[test]
fn the_layout_is_made_once_and_found_again() {
    let home = TestHome::new(1 << 20, 0);
    let made = home.home();
    for folder in [made.journal(), made.snapshots(), made.evidence()] {
        assert!(folder.is_dir());
    }
    assert_eq!((made.identity(), made.path()), (identity(), home.path()));
}
