//! Closing a connection takes a bounded time.
//!
//! An orderly close writes what is still buffered. Towards a peer that does not read, or whose machine is gone, that
//! would wait for TCP to give up, and the connection would keep its file and memory for minutes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::StreamMuxer;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerEvent, StreamMuxerExt as _, SubstreamBox};
use tokio::time::{Instant, Sleep};

/// A connection that is cut when its orderly close takes too long.
pub(crate) struct BoundedClose {
    inner: StreamMuxerBox,
    timeout: Duration,
    /// When to give up, once the close has begun.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl BoundedClose {
    pub(crate) fn new(inner: StreamMuxerBox, timeout: Duration) -> Self {
        BoundedClose { inner, timeout, deadline: None }
    }
}

impl StreamMuxer for BoundedClose {
    type Substream = SubstreamBox;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<SubstreamBox>> {
        self.inner.poll_inbound_unpin(cx)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<SubstreamBox>> {
        self.inner.poll_outbound_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(closed) = self.inner.poll_close_unpin(cx) {
            return Poll::Ready(closed);
        }
        let timeout = self.timeout;
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + timeout)));
        deadline.as_mut().poll(cx).map(Ok)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.inner.poll_unpin(cx)
    }
}
