//! Texts that people choose: short, and harmless in logs and on terminals.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use crate::answer::LedgerRefusal;

/// The longest name of an account, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// The longest reference of a transfer, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 64;

/// The name of an account: 1 to [`NAME_BYTES_MAX`] bytes of UTF-8 without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName(String);

/// What a transfer is for, in the words of who ordered it: at most [`REFERENCE_BYTES_MAX`] bytes of UTF-8 without control
/// characters; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference(String);

impl AccountName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, LedgerRefusal> {
        if bytes.is_empty() || bytes.len() > NAME_BYTES_MAX {
            return Err(LedgerRefusal::NameLength { bytes: bytes.len() as u64 });
        }
        printable(bytes).map(AccountName).ok_or(LedgerRefusal::NameNotPrintable)
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.0.as_bytes())
    }
}

impl Reference {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, LedgerRefusal> {
        if bytes.len() > REFERENCE_BYTES_MAX {
            return Err(LedgerRefusal::ReferenceLength { bytes: bytes.len() as u64 });
        }
        printable(bytes).map(Reference).ok_or(LedgerRefusal::ReferenceNotPrintable)
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.0.as_bytes())
    }
}

impl FromStr for AccountName {
    type Err = LedgerRefusal;

    fn from_str(text: &str) -> Result<Self, LedgerRefusal> {
        Self::parse(text.as_bytes())
    }
}

impl FromStr for Reference {
    type Err = LedgerRefusal;

    fn from_str(text: &str) -> Result<Self, LedgerRefusal> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn printable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_references_are_limited_to_the_byte() {
        assert!("a".parse::<AccountName>().is_ok());
        assert!("a".repeat(64).parse::<AccountName>().is_ok());
        assert_eq!("".parse::<AccountName>(), Err(LedgerRefusal::NameLength { bytes: 0 }));
        assert_eq!("ä".repeat(33).parse::<AccountName>(), Err(LedgerRefusal::NameLength { bytes: 66 }));
        assert!("".parse::<Reference>().is_ok());
        assert!("r".repeat(64).parse::<Reference>().is_ok());
        assert_eq!("r".repeat(65).parse::<Reference>(), Err(LedgerRefusal::ReferenceLength { bytes: 65 }));
    }

    #[test]
    fn what_could_forge_a_line_of_a_log_is_no_name() {
        for text in ["a\nb", "a\u{1b}[2J", "\0", "a\u{85}b"] {
            assert_eq!(text.parse::<AccountName>(), Err(LedgerRefusal::NameNotPrintable), "{text:?}");
            assert_eq!(text.parse::<Reference>(), Err(LedgerRefusal::ReferenceNotPrintable), "{text:?}");
        }
        assert_eq!(AccountName::parse(b"\xff"), Err(LedgerRefusal::NameNotPrintable));
    }
}
