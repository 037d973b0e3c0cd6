//! Serving HTTP within bounds: connections, sizes of headers, and time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::routes::{Served, router};

/// Connections at the same time; a further one is closed at once.
const CONNECTIONS_MAX: usize = 64;
/// The request line with all headers. Requests have no bodies.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// The time for the headers of a request, and for which a connection may be idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for which a connection may be used.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);

/// A running HTTP server.
pub(crate) struct HttpServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl HttpServer {
    /// Listens. Runs on the tokio runtime of the caller.
    pub(crate) async fn start(address: SocketAddr, served: Served) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "HTTP can be reached from other machines, and has no authentication");
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, router(served), stopped));
        Ok(HttpServer { address, stop, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and what they asked for.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        // An error means that the task has panicked, and so has ended.
        let _ = self.task.await;
    }
}

async fn serve(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
                    connections.spawn(serve_connection(stream, router.clone(), permit));
                },
                Err(error) => {
                    tracing::debug!(%error, "a connection for HTTP was not accepted");
                    // Without files or memory left, trying again at once would only burn time.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    connections.shutdown().await;
}

async fn serve_connection(stream: TcpStream, router: Router, permit: OwnedSemaphorePermit) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // What goes wrong on a connection is its client's affair.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
    drop(permit);
}
