//! How a stream opens: whoever opened it says what it is for, and the other side accepts or says why not.
//!
//! Hello = magic ‖ version ‖ class ‖ chain id; Ack = magic ‖ version ‖ verdict. Both have a fixed length.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use quorate_crypto::Digest;

use crate::class::Class;

/// The version of the opening and of all that follows it on a stream.
pub(crate) const VERSION: u8 = 1;
const MAGIC: [u8; 4] = *b"QRTE";
const HELLO_BYTES: usize = 38;
const ACK_BYTES: usize = 6;

/// Why a stream was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HelloError {
    #[error("the stream broke while it was opened: {0}")]
    Io(#[from] io::Error),
    #[error("the peer does not open streams as Quorate does")]
    Malformed,
    #[error("the peer speaks version {0}, this side {VERSION}")]
    Version(u8),
    #[error("the peer belongs to the chain {}", .0.short())]
    Chain(Digest),
    #[error("the peer asks for an unknown class, or for one that is open already")]
    Class,
    #[error("the peer refuses the stream: {0}")]
    Refused(&'static str),
}

impl HelloError {
    /// Whether the peer broke a rule, rather than the connection broke.
    pub(crate) fn is_violation(&self) -> bool {
        match self {
            HelloError::Io(_) | HelloError::Refused(_) => false,
            HelloError::Malformed | HelloError::Version(_) | HelloError::Chain(_) | HelloError::Class => true,
        }
    }

    const fn verdict(&self) -> u8 {
        match self {
            HelloError::Io(_) | HelloError::Malformed | HelloError::Refused(_) => 1,
            HelloError::Version(_) => 2,
            HelloError::Chain(_) => 3,
            HelloError::Class => 4,
        }
    }
}

/// Opens an outbound stream for `class`.
pub(crate) async fn open<S>(stream: &mut S, chain_id: &Digest, class: Class) -> Result<(), HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut hello = Vec::with_capacity(HELLO_BYTES);
    hello.extend_from_slice(&MAGIC);
    hello.extend_from_slice(&[VERSION, class.code()]);
    hello.extend_from_slice(chain_id.as_bytes());
    stream.write_all(&hello).await?;
    stream.flush().await?;
    let mut ack = [0; ACK_BYTES];
    stream.read_exact(&mut ack).await?;
    let [m0, m1, m2, m3, version, verdict] = ack;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(HelloError::Malformed);
    }
    match verdict {
        0 if version == VERSION => Ok(()),
        0 => Err(HelloError::Version(version)),
        2 => Err(HelloError::Refused("it speaks another version")),
        3 => Err(HelloError::Refused("it belongs to another chain")),
        4 => Err(HelloError::Refused("it does not want this class")),
        _ => Err(HelloError::Refused("it cannot read the Hello")),
    }
}

/// Accepts an inbound stream, if `claim` grants the class it is for.
pub(crate) async fn accept<S>(
    stream: &mut S,
    chain_id: &Digest,
    claim: impl FnOnce(Class) -> bool,
) -> Result<Class, HelloError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut hello = [0; HELLO_BYTES];
    stream.read_exact(&mut hello).await?;
    let judged = judge(&hello, chain_id).and_then(|class| claim(class).then_some(class).ok_or(HelloError::Class));
    let verdict = judged.as_ref().map_or_else(HelloError::verdict, |_| 0);
    let [m0, m1, m2, m3] = MAGIC;
    stream.write_all(&[m0, m1, m2, m3, VERSION, verdict]).await?;
    stream.flush().await?;
    judged
}

fn judge(hello: &[u8; HELLO_BYTES], chain_id: &Digest) -> Result<Class, HelloError> {
    let (magic, rest) = hello.split_first_chunk::<4>().ok_or(HelloError::Malformed)?;
    let (&[version, class], chain) = rest.split_first_chunk::<2>().ok_or(HelloError::Malformed)?;
    if magic != &MAGIC {
        return Err(HelloError::Malformed);
    }
    if version != VERSION {
        return Err(HelloError::Version(version));
    }
    let chain = Digest::from_bytes(*chain.first_chunk::<32>().ok_or(HelloError::Malformed)?);
    if chain != *chain_id {
        return Err(HelloError::Chain(chain));
    }
    Class::from_code(class).ok_or(HelloError::Class)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: Digest = Digest::from_bytes([7; 32]);

    fn hello() -> [u8; HELLO_BYTES] {
        let mut bytes = [7; HELLO_BYTES];
        bytes[..6].copy_from_slice(b"QRTE\x01\x01");
        bytes
    }

    #[test]
    fn every_changed_byte_of_a_hello_is_refused_with_its_reason() {
        assert_eq!(judge(&hello(), &CHAIN).unwrap(), Class::Vote);
        for place in 0..HELLO_BYTES {
            let mut bytes = hello();
            bytes[place] = 99;
            let error = judge(&bytes, &CHAIN).unwrap_err();
            match place {
                0..4 => assert!(matches!(error, HelloError::Malformed)),
                4 => assert!(matches!(error, HelloError::Version(99))),
                5 => assert!(matches!(error, HelloError::Class)),
                _ => assert!(matches!(error, HelloError::Chain(_))),
            }
            assert!(error.is_violation());
        }
    }

    #[test]
    fn the_bytes_of_a_hello_are_pinned() {
        let mut sent = futures::io::Cursor::new(vec![0; HELLO_BYTES + ACK_BYTES]);
        sent.get_mut()[HELLO_BYTES..].copy_from_slice(b"QRTE\x01\x00");
        futures::executor::block_on(open(&mut sent, &CHAIN, Class::Vote)).unwrap();
        assert_eq!(sent.get_ref()[..HELLO_BYTES], hello());
    }
}
