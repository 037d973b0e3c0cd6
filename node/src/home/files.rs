//! The text files of homes: read whole, checked for unknown fields, never overwritten.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use quorate::Genesis;
use quorate_crypto::{Digest, Ed25519};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::HomeError;

pub(crate) const GENESIS: &str = "genesis.toml";

const GENESIS_HEAD: &str = "\
# The genesis of a Quorate network: what all its replicas and clients share. Its hash is the chain id, which every
# signature covers. A single changed character that means something makes another network.

";

/// Reads the genesis of a home and checks it.
pub(crate) fn read_genesis(home: &Path) -> Result<Genesis, HomeError> {
    let path = home.join(GENESIS);
    let genesis: Genesis = read_toml(&path)?;
    genesis.validate(&Ed25519).map_err(|reason| HomeError::Genesis { path, reason })?;
    Ok(genesis)
}

pub(crate) fn write_genesis(folder: &Path, genesis: &Genesis) -> Result<(), HomeError> {
    write_toml(&folder.join(GENESIS), GENESIS_HEAD, genesis)
}

pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, HomeError> {
    let text = fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
    toml::from_str(&text)
        .map_err(|error| HomeError::Syntax { path: path.into(), message: error.to_string().trim_end().to_owned() })
}

fn unreadable(path: &Path, source: io::Error) -> HomeError {
    if source.kind() == io::ErrorKind::NotFound {
        HomeError::Missing { path: path.into() }
    } else if source.kind() == io::ErrorKind::InvalidData {
        HomeError::Syntax { path: path.into(), message: "the file is no text".into() }
    } else {
        io_error(path, "read")(source)
    }
}

/// Writes a new file.
pub(crate) fn write_toml<T: Serialize>(path: &Path, head: &str, value: &T) -> Result<(), HomeError> {
    let body =
        toml::to_string(value).map_err(|error| HomeError::Syntax { path: path.into(), message: error.to_string() })?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(io_error(path, "create"))?;
    file.write_all(format!("{head}{body}").as_bytes()).map_err(io_error(path, "write"))?;
    file.sync_all().map_err(io_error(path, "write"))
}

pub(crate) fn create_folder(path: &Path) -> Result<(), HomeError> {
    fs::create_dir_all(path).map_err(io_error(path, "make the folder"))
}

pub(crate) fn io_error(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> HomeError {
    move |source| HomeError::Io { path: path.into(), doing, source }
}

/// Checks that settings belong to the genesis beside them.
pub(crate) fn check_chain(path: &Path, expected: Digest, genesis: &Genesis) -> Result<(), HomeError> {
    let found = genesis.chain_id();
    if found == expected { Ok(()) } else { Err(HomeError::WrongChain { path: path.into(), expected, found }) }
}

/// Checks that there is one address for each member, and that each can be dialled.
pub(crate) fn check_addresses(path: &Path, addresses: &[SocketAddr], members: usize) -> Result<(), HomeError> {
    if addresses.len() != members {
        return Err(HomeError::AddressCount { path: path.into(), found: addresses.len(), expected: members });
    }
    let mut earlier: Vec<&SocketAddr> = Vec::new();
    for address in addresses {
        check_port(path, address)?;
        if earlier.contains(&address) {
            let problem = "stands twice: every member has its own";
            return Err(HomeError::Address { path: path.into(), address: *address, problem });
        }
        earlier.push(address);
    }
    Ok(())
}

/// Checks that others can find who listens there.
pub(crate) fn check_port(path: &Path, address: &SocketAddr) -> Result<(), HomeError> {
    if address.port() == 0 {
        let problem = "has port 0, which nobody can dial: choose a port";
        return Err(HomeError::Address { path: path.into(), address: *address, problem });
    }
    Ok(())
}
