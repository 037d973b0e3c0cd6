//! Frames on a stream: version ‖ length of the payload (u32, little-endian) ‖ payload. An empty frame keeps a link
//! alive and reaches nobody.

use std::io;

use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt};

/// The version of the frame format.
pub(crate) const FRAME_VERSION: u8 = 1;
/// Bytes before the payload.
pub(crate) const HEADER_BYTES: usize = 5;
/// What is read from a stream at once, and the smallest step in which memory for a long frame is taken.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why no frame could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the stream ended")]
    Ended,
    #[error("the stream broke: {0}")]
    Io(#[from] io::Error),
    #[error("frame version {0} instead of {FRAME_VERSION}")]
    Version(u8),
    #[error("a frame of {announced} bytes was announced; {allowed} are allowed")]
    TooLong { announced: usize, allowed: usize },
}

impl FrameError {
    /// Whether the peer broke a rule, rather than the connection broke.
    pub(crate) fn is_violation(&self) -> bool {
        match self {
            FrameError::Ended | FrameError::Io(_) => false,
            FrameError::Version(_) | FrameError::TooLong { .. } => true,
        }
    }
}

/// The header of a frame. The payload is no longer than `frame_bytes_max`, which is far below 4 GiB.
pub(crate) fn header(payload_bytes: usize) -> [u8; HEADER_BYTES] {
    let length = u32::try_from(payload_bytes).expect("frames longer than frame_bytes_max are not queued");
    let [a, b, c, d] = length.to_le_bytes();
    [FRAME_VERSION, a, b, c, d]
}

/// Reads frames from a stream. Memory grows with what was received, never with what was announced.
pub(crate) struct FrameReader<S> {
    stream: S,
    frame_bytes_max: usize,
    buffer: Box<[u8]>,
    /// The part of `buffer` that was received and not yet handed out.
    unread: std::ops::Range<usize>,
}

impl<S: AsyncRead + Unpin> FrameReader<S> {
    pub(crate) fn new(stream: S, frame_bytes_max: usize) -> Self {
        FrameReader { stream, frame_bytes_max, buffer: vec![0; CHUNK_BYTES].into_boxed_slice(), unread: 0..0 }
    }

    /// The next frame's payload. `heard` is called for everything that arrives, complete frame or not.
    pub(crate) async fn next(&mut self, heard: impl Fn()) -> Result<Bytes, FrameError> {
        while self.unread.len() < HEADER_BYTES {
            self.fill(&heard).await?;
        }
        let length = self.parse_header()?;
        if length <= self.unread.len() {
            // A copy, so that a small frame that is kept does not keep the whole buffer.
            let payload = Bytes::copy_from_slice(self.unread().get(..length).unwrap_or_default());
            self.unread.start += length;
            return Ok(payload);
        }
        let mut payload = Vec::new();
        while payload.len() < length {
            if self.unread.is_empty() {
                self.fill(&heard).await?;
            }
            let missing = length - payload.len();
            payload.reserve_exact(missing.min(payload.len().max(CHUNK_BYTES)));
            let part = self.unread.len().min(missing);
            payload.extend_from_slice(self.unread().get(..part).unwrap_or_default());
            self.unread.start += part;
        }
        Ok(Bytes::from(payload))
    }

    fn parse_header(&mut self) -> Result<usize, FrameError> {
        let Some(&[version, a, b, c, d]) = self.unread().first_chunk() else { return Err(FrameError::Ended) };
        if version != FRAME_VERSION {
            return Err(FrameError::Version(version));
        }
        let announced = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if announced > self.frame_bytes_max {
            return Err(FrameError::TooLong { announced, allowed: self.frame_bytes_max });
        }
        self.unread.start += HEADER_BYTES;
        Ok(announced)
    }

    /// Receives at least one more byte.
    async fn fill(&mut self, heard: impl Fn()) -> Result<(), FrameError> {
        let unread = self.unread.clone();
        self.unread = 0..unread.len();
        self.buffer.copy_within(unread, 0);
        let free = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        let received = self.stream.read(free).await?;
        if received == 0 {
            return Err(FrameError::Ended);
        }
        self.unread.end += received;
        heard();
        Ok(())
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn stream(payloads: &[&[u8]]) -> Vec<u8> {
        payloads.iter().flat_map(|payload| [&header(payload.len()), *payload].concat()).collect()
    }

    fn read_all(bytes: Vec<u8>) -> (Vec<Bytes>, FrameError) {
        let mut reader = FrameReader::new(Cursor::new(bytes), 1 << 20);
        let mut frames = Vec::new();
        loop {
            match block_on(reader.next(|| ())) {
                Ok(frame) => frames.push(frame),
                Err(error) => return (frames, error),
            }
        }
    }

    #[test]
    fn frames_of_every_length_around_the_buffer_come_out_as_they_went_in() {
        let lengths = [0, 1, CHUNK_BYTES - 5, CHUNK_BYTES - 4, CHUNK_BYTES, 3, 3 * CHUNK_BYTES + 7, 1 << 20];
        let payloads: Vec<Vec<u8>> =
            lengths.iter().map(|n| (0..*n).map(|i| u8::try_from(i % 251).unwrap()).collect()).collect();
        let (frames, end) = read_all(stream(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>()));
        assert_eq!(frames, payloads);
        assert!(matches!(end, FrameError::Ended));
    }

    #[test]
    fn a_cut_stream_yields_no_partial_frame() {
        let whole = stream(&[b"first", b"second"]);
        for cut in 0..whole.len() {
            let (frames, end) = read_all(whole[..cut].to_vec());
            assert_eq!(frames.len(), usize::from(cut >= 10));
            assert!(matches!(end, FrameError::Ended));
        }
    }

    #[test]
    fn one_byte_too_long_or_another_version_is_a_violation_before_anything_is_allocated() {
        let too_long = [&[FRAME_VERSION][..], &((1u32 << 20) + 1).to_le_bytes()].concat();
        let (_, error) = read_all(too_long);
        assert!(matches!(error, FrameError::TooLong { .. }) && error.is_violation());
        let (_, error) = read_all(vec![FRAME_VERSION + 1, 0, 0, 0, 0]);
        assert!(matches!(error, FrameError::Version(2)) && error.is_violation());
    }

    #[test]
    fn an_announced_length_takes_at_most_one_chunk_before_its_bytes_arrive() {
        let mut reader = FrameReader::new(Cursor::new(stream(&[&[1; 1 << 20]])), 1 << 20);
        let frame = block_on(reader.next(|| ())).unwrap();
        assert_eq!(Vec::from(frame).capacity(), 1 << 20, "memory grows to the length, not beyond");
    }
}
