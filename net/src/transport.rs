//! The layers of a connection: TCP, Noise, Yamux, each step bounded in time and number.

use libp2p::core::Transport as _;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::{PeerId, identity, noise, tcp, yamux};

use crate::class::Class;
use crate::closing::BoundedClose;
use crate::error::NetError;
use crate::handshakes::Handshakes;

/// Streams that a connection may have beyond those in use: some may still be ending.
const SPARE_STREAMS: usize = 4;

/// How many streams a connection for `classes` may have: one per class and direction, and a few.
pub(crate) const fn streams_max(classes: &[Class]) -> usize {
    2 * classes.len() + SPARE_STREAMS
}

/// Builds the transport. `handshakes` bounds what has not proven its key yet.
pub(crate) fn build(
    identity: &identity::Keypair,
    classes: &[Class],
    handshakes: HandshakeLimits,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let noise = noise::Config::new(identity).map_err(|error| NetError::Transport(error.to_string()))?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(streams_max(classes));
    let secured = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1)
        .authenticate(noise)
        .multiplex(yamux)
        .timeout(handshakes.timeout)
        .boxed();
    let close_timeout = handshakes.close_timeout;
    Ok(Handshakes::new(secured, handshakes)
        .map(move |(peer, muxer), _| (peer, StreamMuxerBox::new(BoundedClose::new(muxer, close_timeout))))
        .boxed())
}

pub(crate) use crate::handshakes::HandshakeLimits;
