//! Secret keys on disk.
//!
//! A key file is text: a line that names the format and its version, then the 32-byte seed as hexadecimal digits. Only
//! its owner may read it, and a file that others may read is refused: its secret may be known already.
//!
//! Buffers that held the secret are wiped, and no error shows any part of a file's content.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::digest::{decode_hex_into, hex_digits};
use crate::signature::KeyPair;

/// What every version's first line begins with.
const FORMAT: &[u8] = b"quorate secret key, version ";
const HEADER: &[u8] = b"quorate secret key, version 1\n";
const SEED_LEN: usize = 32;
const FILE_LEN: usize = HEADER.len() + 2 * SEED_LEN + 1;

/// Owner may read and write, nobody else anything.
const MODE: u32 = 0o600;
const MODE_OF_OTHERS: u32 = 0o077;

/// Why a secret key cannot be saved or loaded. Every message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Nothing stands at the path.
    #[error("there is no secret key at {}: check the path, or make a key first", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A key is never overwritten: it may be the only copy.
    #[error("{} exists already: a secret key is never overwritten, so move the file away or choose another path", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or change the file.
    #[error(
        "{} has mode {mode:04o}, so others than its owner can reach the secret key: replace the key if somebody may \
         have read it, else run `chmod 600` on the file", path.display()
    )]
    LooseMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory, a pipe or a device.
    #[error("{} is not a regular file: name the file that holds the secret key", path.display())]
    NotRegularFile {
        /// What was named.
        path: PathBuf,
    },
    /// A key file of a version this program does not know.
    #[error("{} is a secret key of another format version: use the release that wrote it", path.display())]
    UnknownVersion {
        /// The file.
        path: PathBuf,
    },
    /// Another file, or a damaged one.
    #[error("{} holds no intact secret key: restore it from its backup, or check the path", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot {attempt} {}: check the disk and the permissions of the directory", path.display())]
    Io {
        /// What was tried.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes a new key pair from the operating system's randomness.
///
/// # Errors
/// When the operating system has none to give.
pub fn generate() -> io::Result<KeyPair> {
    let mut seed = Zeroizing::new([0; SEED_LEN]);
    getrandom::fill(seed.as_mut())?;
    Ok(KeyPair::from_seed(&seed))
}

/// Writes `key` to a new file at `path` that only its owner may read, and waits until it is durable.
///
/// # Errors
/// [`KeyFileError::Exists`] when anything stands at `path`; [`KeyFileError::Io`] when the system refuses, and then no
/// file is left behind.
pub fn save(path: &Path, key: &KeyPair) -> Result<(), KeyFileError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    let mut file = created.map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            KeyFileError::Exists { path: path.into() }
        } else {
            KeyFileError::Io { attempt: "create", path: path.into(), source }
        }
    })?;
    write_durably(&mut file, path, key).map_err(|source| {
        // Half a key would only be in the way of the next attempt. When it cannot be removed either, the error to
        // report is still the first one.
        let _ = fs::remove_file(path);
        KeyFileError::Io { attempt: "write", path: path.into(), source }
    })
}

/// Reads the key that [`save`] wrote to `path`.
///
/// # Errors
/// [`KeyFileError`] when the file is missing, is no regular file, may be reached by others than its owner, or is not
/// exactly a key file.
pub fn load(path: &Path) -> Result<KeyPair, KeyFileError> {
    // Looked at before it is opened too, because opening a pipe waits for whoever writes to it.
    let named = fs::metadata(path).map_err(|source| cannot_read(path, source))?;
    if !named.is_file() {
        return Err(KeyFileError::NotRegularFile { path: path.into() });
    }
    let file = File::open(path).map_err(|source| cannot_read(path, source))?;
    let opened = file.metadata().map_err(|source| cannot_read(path, source))?;
    if !opened.is_file() {
        return Err(KeyFileError::NotRegularFile { path: path.into() });
    }
    let mode = opened.permissions().mode() & 0o7777;
    if mode & MODE_OF_OTHERS != 0 {
        return Err(KeyFileError::LooseMode { path: path.into(), mode });
    }
    read(file, path)
}

fn write_durably(file: &mut File, path: &Path, key: &KeyPair) -> io::Result<()> {
    // Exactly this mode, whatever the process's umask took away.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(encode(key).as_slice())?;
    file.sync_all()?;
    // The file's name is durable only with its directory.
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn read(mut file: File, path: &Path) -> Result<KeyPair, KeyFileError> {
    // One byte more than a key file has, to see whether there is more.
    let mut buffer = Zeroizing::new([0; FILE_LEN + 1]);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(cannot_read(path, source)),
        }
    }
    let text = buffer.get(..filled).unwrap_or_default();
    decode(text).ok_or_else(|| {
        if text.starts_with(FORMAT) && !text.starts_with(HEADER) {
            KeyFileError::UnknownVersion { path: path.into() }
        } else {
            KeyFileError::Malformed { path: path.into() }
        }
    })
}

fn cannot_read(path: &Path, source: io::Error) -> KeyFileError {
    if source.kind() == io::ErrorKind::NotFound {
        KeyFileError::Missing { path: path.into() }
    } else {
        KeyFileError::Io { attempt: "read", path: path.into(), source }
    }
}

fn encode(key: &KeyPair) -> Zeroizing<Vec<u8>> {
    // Never grows, so that no abandoned buffer keeps a part of the secret.
    let mut text = Zeroizing::new(Vec::with_capacity(FILE_LEN));
    text.extend_from_slice(HEADER);
    text.extend(key.seed().iter().flat_map(|&byte| hex_digits(byte)));
    text.push(b'\n');
    text
}

fn decode(text: &[u8]) -> Option<KeyPair> {
    let digits = text.strip_prefix(HEADER)?.strip_suffix(b"\n")?;
    let mut seed = Zeroizing::new([0; SEED_LEN]);
    decode_hex_into(digits, seed.as_mut()).ok()?;
    Some(KeyPair::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::os::unix::net::UnixListener;

    use tempfile::TempDir;

    use super::*;

    const SEED: [u8; 32] = [0x5a; 32];

    fn home() -> (TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("secret.key");
        (home, path)
    }

    fn saved() -> (TempDir, PathBuf) {
        let (home, path) = home();
        save(&path, &KeyPair::from_seed(&SEED)).unwrap();
        (home, path)
    }

    fn write_private(path: &Path, content: &[u8]) {
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).unwrap().write_all(content).unwrap();
    }

    #[test]
    fn generated_keys_differ_and_survive_the_disk() {
        let (_home, path) = home();
        let key = generate().unwrap();
        assert_ne!(key.public(), generate().unwrap().public());
        save(&path, &key).unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!((loaded.public(), loaded.seed()), (key.public(), key.seed()));
    }

    #[test]
    fn the_file_has_exactly_this_content_and_mode() {
        let (_home, path) = saved();
        let expected = format!("quorate secret key, version 1\n{}\n", "5a".repeat(32));
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn never_overwrites_a_key() {
        let (_home, path) = saved();
        let refused = save(&path, &KeyPair::from_seed(&[1; 32]));
        assert!(matches!(refused, Err(KeyFileError::Exists { .. })), "{refused:?}");
        assert_eq!(load(&path).unwrap().seed(), &SEED);
    }

    #[test]
    fn refuses_every_mode_that_gives_others_anything() {
        let (_home, path) = saved();
        for bit in [0o001, 0o002, 0o004, 0o010, 0o020, 0o040] {
            fs::set_permissions(&path, Permissions::from_mode(0o600 | bit)).unwrap();
            let refused = load(&path).unwrap_err();
            assert!(matches!(refused, KeyFileError::LooseMode { mode, .. } if mode == 0o600 | bit), "{refused}");
            assert!(refused.to_string().contains("chmod 600"));
        }
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        assert_eq!(load(&path).unwrap().seed(), &SEED);
    }

    #[test]
    fn refuses_what_is_no_regular_file() {
        let (home, path) = home();
        let _socket = UnixListener::bind(&path).unwrap();
        for path in [home.path(), &path, Path::new("/dev/null")] {
            let refused = load(path);
            assert!(matches!(refused, Err(KeyFileError::NotRegularFile { .. })), "{refused:?}");
        }
    }

    #[test]
    fn refuses_every_shortened_lengthened_or_altered_file() {
        let intact = encode(&KeyPair::from_seed(&SEED));
        for length in 0..intact.len() {
            assert!(decode(&intact[..length]).is_none(), "{length} bytes");
        }
        for position in 0..intact.len() {
            let mut altered = intact.to_vec();
            altered[position] = b'x';
            assert!(decode(&altered).is_none(), "byte {position}");
            altered[position] = b'+';
            assert!(decode(&altered).is_none(), "byte {position}");
        }
        for (index, tail) in ["\n", " ", "00\n", &"0".repeat(1 << 16)].iter().enumerate() {
            let (_home, path) = home();
            write_private(&path, &[&intact, tail.as_bytes()].concat());
            assert!(matches!(load(&path), Err(KeyFileError::Malformed { .. })), "tail {index}");
        }
    }

    #[test]
    fn tells_another_version_from_damage() {
        let (_home, path) = home();
        write_private(&path, b"quorate secret key, version 2\nwhatever\n");
        assert!(matches!(load(&path), Err(KeyFileError::UnknownVersion { .. })));
    }

    #[test]
    fn errors_name_the_file_and_never_show_its_content() {
        let (_home, path) = home();
        let missing = load(&path).unwrap_err();
        assert!(matches!(missing, KeyFileError::Missing { .. }), "{missing}");
        write_private(&path, format!("quorate secret key, version 1\n{}", "5a".repeat(32)).as_bytes());
        let malformed = load(&path).unwrap_err();
        let nowhere = save(&path.join("below-a-file"), &KeyPair::from_seed(&SEED)).unwrap_err();
        assert!(nowhere.source().is_some());
        for error in [missing, malformed, nowhere] {
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(path.to_str().unwrap()), "{shown}");
            assert!(!shown.contains("5a5a"), "{shown}");
        }
    }
}
