//! What fuzzers call: files as somebody may have left them.

use std::fmt::Debug;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use quorate::storage::{FailureClass, Home, Identity};
use quorate::{Genesis, ReplicaId};
use quorate_crypto::digest::encode_hex;
use quorate_crypto::{Digest, Ed25519, KeyPair, key_file};
use quorate_ledger::Operation;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::home::{ClientSettings, NodeSettings};
use crate::transfers_file::TransfersFile;

/// A file of transfers: each line is one or says what is wrong with it.
pub fn transfers(bytes: &[u8]) {
    let mut last = 0;
    for line in TransfersFile::new(bytes) {
        let number = match line {
            Ok(line) => {
                let operation = Operation::Transfer(line.transfer);
                assert_eq!(Operation::decode(&operation.encode()).as_ref(), Ok(&operation), "the ledger takes it");
                line.number
            }
            Err(bad) => {
                assert!(!bad.to_string().is_empty());
                bad.number
            }
        };
        assert!(number >= last, "lines are numbered in their order");
        last = number;
    }
}

/// The text of a genesis, of the settings of a replica or of those of a client.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(genesis) = read::<Genesis>(text)
        && genesis.validate(&Ed25519).is_ok()
    {
        assert_eq!(genesis.chain_id(), genesis.clone().chain_id());
        assert!(genesis.committee.contains(genesis.committee.primary(quorate::View(u64::MAX))));
    }
    if let Some(settings) = read::<NodeSettings>(text) {
        let _verdict = settings.engine.validated();
    }
    let _client = read::<ClientSettings>(text);
}

/// What a text says is written and read again.
fn read<T: DeserializeOwned + Serialize + Debug>(text: &str) -> Option<T> {
    let value: T = toml::from_str(text).ok()?;
    // TOML has no numbers above 2^63 - 1: what is greater cannot have been read.
    let written = toml::to_string(&value).expect("what was read can be written");
    let again: T = toml::from_str(&written).expect("what was written can be read");
    assert_eq!(toml::to_string(&again).as_ref(), Ok(&written), "what is written is read as it was");
    Some(value)
}

/// A file with a secret key.
pub fn secret_key(bytes: &[u8]) {
    let folder = Scratch::new();
    let path = folder.0.join("node.key");
    write(&path, bytes).expect("a temporary file can be written");
    if let Ok(key) = key_file::load(&path) {
        let text = format!("quorate secret key, version 1\n{}\n", encode_hex(key.seed()));
        assert_eq!(bytes.to_ascii_lowercase(), text.into_bytes(), "another file holds a key");
    }
}

/// The file that says whose home it is.
pub fn identity(bytes: &[u8]) {
    let folder = Scratch::new();
    let key = KeyPair::from_seed(&[1; 32]).public();
    let expected = Identity { chain_id: Digest::from_bytes([3; 32]), replica: ReplicaId(2), key };
    write(&folder.0.join("identity"), bytes).expect("a temporary file can be written");
    match Home::open_or_create(&folder.0, expected) {
        Ok(home) => assert_eq!(home.identity(), expected),
        Err(error) => {
            let is_said = matches!(error.class(), FailureClass::Damaged | FailureClass::Configuration);
            assert!(is_said, "{error}");
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// A folder for one input, in memory where the system has such a place.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let name = format!("quorate-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
        let folder = parent.join(name);
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        Scratch(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the way of the next input, which says so.
        drop(fs::remove_dir_all(&self.0));
    }
}
