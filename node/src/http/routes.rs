//! Which path answers what.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use quorate::Genesis;
use quorate::runtime::RunningReplica;
use tokio::sync::Semaphore;

use super::error::HttpError;
use super::ledger::{self, SummaryCache};
use super::metrics;
use super::status::Status;
use crate::home::NodeHome;
use crate::transport::NodeTransport;

const PATHS: &str =
    "/status, /metrics, /ledger/summary, /ledger/accounts?prefix=&after=&limit=, /ledger/accounts/{name}";

/// What HTTP shows.
pub(crate) struct Served {
    pub(super) genesis: Arc<Genesis>,
    pub(super) replica: Arc<RunningReplica>,
    pub(super) transport: Arc<NodeTransport>,
    /// One read at a time: more of them would take the processor from the replica.
    pub(super) reads: Semaphore,
    pub(super) summary: SummaryCache,
}

impl Served {
    pub(crate) fn new(home: &NodeHome, replica: Arc<RunningReplica>, transport: Arc<NodeTransport>) -> Self {
        let (reads, summary) = (Semaphore::new(1), SummaryCache::default());
        Served { genesis: Arc::clone(home.genesis()), replica, transport, reads, summary }
    }
}

pub(super) fn router(served: Served) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/metrics", get(metrics_text))
        .route("/ledger/summary", get(ledger::summary))
        .route("/ledger/accounts", get(ledger::accounts))
        .route("/ledger/accounts/{name}", get(ledger::account))
        .fallback(async || HttpError::new(StatusCode::NOT_FOUND, format!("there is nothing here; there is {PATHS}")))
        .method_not_allowed_fallback(async || {
            HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "nothing can be changed over HTTP: use GET")
        })
        .with_state(Arc::new(served))
}

async fn status(State(served): State<Arc<Served>>) -> Json<Status> {
    Json(Status::of(&served.genesis, served.replica.view(), &served.transport))
}

async fn metrics_text(State(served): State<Arc<Served>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = metrics::with_networks(&served.replica.metrics(), &served.transport);
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
