//! What fuzzers call: bytes as a peer sends them, on streams that are in memory.

use futures::FutureExt;
use futures::io::Cursor;
use quorate_crypto::Digest;

use crate::class::Class;
use crate::frame::{FrameReader, header};
use crate::hello;

/// The longest frame here. A greater limit only makes longer inputs necessary.
const FRAME_BYTES_MAX: usize = 1 << 20;
const CHAIN: Digest = Digest::from_bytes([7; 32]);
const HELLO_BYTES: usize = 38;

/// Frames until the first mistake: they are what was sent, in its order.
pub fn frames(bytes: &[u8]) {
    let mut reader = FrameReader::new(Cursor::new(bytes), FRAME_BYTES_MAX);
    let mut read = Vec::new();
    while let Ok(frame) = reader.next(|| ()).now_or_never().expect("memory never waits") {
        assert!(frame.len() <= FRAME_BYTES_MAX);
        read.extend_from_slice(&header(frame.len()));
        read.extend_from_slice(&frame);
    }
    assert!(bytes.starts_with(&read), "a frame is not what was sent");
}

/// What whoever opens a stream says, and what whoever accepts it answers. Both sides read it.
pub fn hello(bytes: &[u8]) {
    let mut stream = Cursor::new(bytes.to_vec());
    let accepted = hello::accept(&mut stream, &CHAIN, |_| true).now_or_never().expect("memory never waits");
    if let Ok(class) = accepted {
        let expected = [&b"QRTE\x01"[..], &[class.code()], CHAIN.as_bytes()].concat();
        assert!(bytes.starts_with(&expected), "another hello is accepted");
    }
    // The answer lies behind what this side says.
    let mut stream = Cursor::new([&[0; HELLO_BYTES][..], bytes].concat());
    let opened = hello::open(&mut stream, &CHAIN, Class::Vote).now_or_never().expect("memory never waits");
    assert!(opened.is_err() || bytes.starts_with(b"QRTE\x01\x00"), "another answer is an agreement");
}
