//! One connection in use: a task for each of its streams. A stream carries frames in one direction only, so that
//! reading and writing share nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use bytes::Bytes;
use futures::{AsyncWrite, AsyncWriteExt};
use libp2p::Stream;
use libp2p::swarm::ConnectionId;
use quorate_crypto::Digest;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use crate::class::Class;
use crate::frame::{self, FrameError, FrameReader};
use crate::hello::{self, HelloError};
use crate::limits::Limits;
use crate::peers::Peer;
use crate::queue::Outbox;

/// A payload from this length on is written from where it is, instead of being copied behind other frames.
const COPY_BYTES_MAX: usize = 16 * 1024;

/// What a stream's task tells the driver. Each sends at most one `Ready`, and one `Finished` or `Ended`.
pub(crate) struct Report {
    pub(crate) connection: ConnectionId,
    pub(crate) what: Progress,
}

pub(crate) enum Progress {
    /// The stream is open and frames may pass.
    Ready,
    /// All that was queued is written, and the stream ended in order.
    Finished,
    /// The stream is of no use any more, and so is its connection.
    Ended(LinkError),
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("{0}")]
    Hello(#[from] HelloError),
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("writing failed: {0}")]
    Write(#[from] io::Error),
    #[error("a stream was not opened in time")]
    OpeningTimeout,
    #[error("a stream could not be opened: {0}")]
    NoStream(String),
    #[error("the peer opened more streams than there are classes")]
    TooManyStreams,
    #[error("nothing was heard from the peer for too long")]
    Silence,
    #[error("a newer connection replaces it")]
    Replaced,
    #[error("the connection was closed")]
    Closed,
}

impl LinkError {
    /// Whether the peer broke a rule, rather than the connection broke.
    pub(crate) fn is_violation(&self) -> bool {
        match self {
            LinkError::Hello(error) => error.is_violation(),
            LinkError::Frame(error) => error.is_violation(),
            LinkError::TooManyStreams => true,
            LinkError::Write(_)
            | LinkError::OpeningTimeout
            | LinkError::NoStream(_)
            | LinkError::Silence
            | LinkError::Replaced
            | LinkError::Closed => false,
        }
    }

    /// Whether the connection ended or is ending by itself. Then the readers do so too, after what has arrived.
    pub(crate) fn is_end_of_stream(&self) -> bool {
        match self {
            LinkError::Closed | LinkError::Write(_) | LinkError::NoStream(_) => true,
            LinkError::Hello(error) => !error.is_violation(),
            LinkError::Frame(error) => !error.is_violation(),
            LinkError::OpeningTimeout | LinkError::TooManyStreams | LinkError::Silence | LinkError::Replaced => false,
        }
    }
}

/// What the tasks of one connection share.
pub(crate) struct Link {
    pub(crate) connection: ConnectionId,
    pub(crate) peer: Arc<Peer>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) chain_id: Digest,
    /// The class whose writer keeps the link alive.
    pub(crate) keep_alive_class: Class,
    pub(crate) reports: UnboundedSender<Report>,
    /// How often something arrived.
    heard: AtomicU64,
    /// The classes, by code, for which the peer has opened a stream.
    claimed: AtomicU8,
}

/// What [`Link::new`] needs beside the connection and the peer.
pub(crate) struct LinkContext {
    pub(crate) limits: Arc<Limits>,
    pub(crate) chain_id: Digest,
    pub(crate) classes: &'static [Class],
    pub(crate) reports: UnboundedSender<Report>,
}

impl Link {
    pub(crate) fn new(connection: ConnectionId, peer: Arc<Peer>, context: &LinkContext) -> Arc<Self> {
        Arc::new(Link {
            connection,
            peer,
            outbox: Arc::new(Outbox::new(&context.limits)),
            limits: context.limits.clone(),
            chain_id: context.chain_id,
            keep_alive_class: context.classes.first().copied().unwrap_or(Class::Bulk),
            reports: context.reports.clone(),
            heard: AtomicU64::new(0),
            claimed: AtomicU8::new(0),
        })
    }

    /// A number that changes whenever something arrives.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Runs an outbound stream until it ends: opens it for `class` and writes what is queued.
    pub(crate) async fn run_outbound(self: Arc<Self>, mut stream: Stream, class: Class) {
        let opened = timeout(self.limits.handshake_timeout, hello::open(&mut stream, &self.chain_id, class)).await;
        let end = match opened {
            Err(_) => Progress::Ended(LinkError::OpeningTimeout),
            Ok(Err(error)) => Progress::Ended(error.into()),
            Ok(Ok(())) => {
                self.report(Progress::Ready);
                match self.write_frames(stream, class).await {
                    Ok(()) => Progress::Finished,
                    Err(error) => Progress::Ended(error.into()),
                }
            }
        };
        self.report(end);
    }

    /// Runs an inbound stream until it ends: accepts it and hands on what arrives. Never stops reading.
    pub(crate) async fn run_inbound(self: Arc<Self>, mut stream: Stream, classes: &'static [Class]) {
        let claim = |class: Class| classes.contains(&class) && self.claim(class);
        let accepted = timeout(self.limits.handshake_timeout, hello::accept(&mut stream, &self.chain_id, claim)).await;
        let error = match accepted {
            Err(_) => LinkError::OpeningTimeout,
            Ok(Err(error)) => error.into(),
            Ok(Ok(class)) => {
                self.report(Progress::Ready);
                self.read_frames(stream, class).await.into()
            }
        };
        self.report(Progress::Ended(error));
    }

    async fn read_frames(&self, stream: Stream, class: Class) -> FrameError {
        let mut reader = FrameReader::new(stream, self.limits.frame_bytes_max);
        loop {
            let heard = || {
                self.heard.fetch_add(1, Ordering::Relaxed);
            };
            match reader.next(heard).await {
                Ok(keep_alive) if keep_alive.is_empty() => {}
                Ok(frame) => {
                    self.peer.counters.frames_received.add(1);
                    self.peer.counters.bytes_received.add(frame.len());
                    self.peer.sink.frame(class, frame);
                }
                Err(error) => return error,
            }
        }
    }

    /// Writes what is queued until the queue is finished.
    async fn write_frames(&self, mut stream: Stream, class: Class) -> io::Result<()> {
        let queue = self.outbox.queue(class);
        let mut batch = Vec::new();
        let mut joined = Vec::new();
        loop {
            if !queue.take(&mut batch, self.limits.coalesce_bytes_max) {
                if queue.is_finished() {
                    return stream.close().await;
                }
                if timeout(self.limits.keep_alive_interval, queue.pushed()).await.is_ok() {
                    // Whoever sends one frame often sends more: let them come and go out together.
                    tokio::task::yield_now().await;
                    continue;
                }
                if class != self.keep_alive_class {
                    continue;
                }
                batch.push(Bytes::new());
            }
            let counters = &self.peer.counters;
            counters.frames_sent.add(batch.iter().filter(|frame| !frame.is_empty()).count());
            counters.bytes_sent.add(batch.iter().map(Bytes::len).sum());
            counters.flushes.add(1);
            write_batch(&mut stream, &mut batch, &mut joined).await?;
        }
    }

    fn claim(&self, class: Class) -> bool {
        self.claimed.fetch_or(class.code(), Ordering::Relaxed) & class.code() == 0
    }

    fn report(&self, what: Progress) {
        // The driver has gone when this fails; then so has the endpoint.
        let _ = self.reports.send(Report { connection: self.connection, what });
    }
}

/// Writes the frames of `batch` in order and flushes once. `joined` is memory to reuse.
async fn write_batch<S: AsyncWrite + Unpin>(
    stream: &mut S,
    batch: &mut Vec<Bytes>,
    joined: &mut Vec<u8>,
) -> io::Result<()> {
    for frame in batch.drain(..) {
        joined.extend_from_slice(&frame::header(frame.len()));
        if frame.len() < COPY_BYTES_MAX {
            joined.extend_from_slice(&frame);
        } else {
            stream.write_all(joined).await?;
            joined.clear();
            stream.write_all(&frame).await?;
        }
    }
    if !joined.is_empty() {
        stream.write_all(joined).await?;
        joined.clear();
    }
    stream.flush().await
}
