//! `/ledger/…`: this replica's own state of the ledger.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use quorate::SeqNum;
use quorate::execution::Snapshot;
use quorate::outcome::Outcome;
use serde::{Deserialize, Serialize};

use super::error::HttpError;
use super::routes::Served;
use crate::served_ledger::{LedgerAnswer, LedgerQuery, PAGE_ACCOUNTS_MAX, Summary};

const PAGE_ACCOUNTS: usize = 100;

/// What `/ledger/accounts` may be asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageRequest {
    prefix: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// An answer, and of which state.
#[derive(Debug, Serialize)]
struct At<T> {
    /// The last executed slot.
    seq: SeqNum,
    #[serde(flatten)]
    answer: T,
}

/// A summary, and of which state.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SummaryAt {
    seq: SeqNum,
    /// The root of the whole state there, which the replicas certify at checkpoints.
    root: String,
    /// The agreed time there, in nanoseconds since 1970.
    time: u64,
    #[serde(flatten)]
    summary: Summary,
}

/// The last summary: the same state is summed up once.
pub(super) type SummaryCache = Mutex<Option<SummaryAt>>;

pub(super) async fn account(
    State(served): State<Arc<Served>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, HttpError> {
    let Path(name) = name.map_err(|rejection| HttpError::bad_request(rejection.body_text()))?;
    let (seq, answer) = read(&served, LedgerQuery::Account(name)).await?;
    match answer {
        LedgerAnswer::Account(Some(answer)) => Ok(Json(At { seq, answer }).into_response()),
        LedgerAnswer::Account(None) => {
            Err(HttpError::new(StatusCode::NOT_FOUND, format!("no transfer up to slot {seq} has named this account")))
        }
        LedgerAnswer::Accounts(_) | LedgerAnswer::Summary(_) => Err(other_answer()),
    }
}

pub(super) async fn accounts(
    State(served): State<Arc<Served>>,
    request: Result<Query<PageRequest>, QueryRejection>,
) -> Result<Response, HttpError> {
    let Query(request) = request.map_err(|rejection| HttpError::bad_request(rejection.body_text()))?;
    let limit = request.limit.unwrap_or(PAGE_ACCOUNTS);
    if !(1..=PAGE_ACCOUNTS_MAX).contains(&limit) {
        return Err(HttpError::bad_request(format!("limit is 1 to {PAGE_ACCOUNTS_MAX}, not {limit}")));
    }
    let query = LedgerQuery::Accounts { prefix: request.prefix, after: request.after, limit };
    let (seq, answer) = read(&served, query).await?;
    match answer {
        LedgerAnswer::Accounts(answer) => Ok(Json(At { seq, answer }).into_response()),
        LedgerAnswer::Account(_) | LedgerAnswer::Summary(_) => Err(other_answer()),
    }
}

pub(super) async fn summary(State(served): State<Arc<Served>>) -> Result<Json<SummaryAt>, HttpError> {
    let _turn = served.reads.acquire().await.map_err(|error| HttpError::bug(error.to_string()))?;
    let snapshot = snapshot(&served).await?;
    if let Some(cached) = served.summary.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
        && cached.seq == snapshot.seq()
    {
        return Ok(Json(cached.clone()));
    }
    let (seq, time) = (snapshot.seq(), snapshot.time().0);
    let (root, answer) = off_thread(move || (snapshot.root(), ask(&snapshot, &LedgerQuery::Summary))).await?;
    match answer? {
        LedgerAnswer::Summary(summary) => {
            let summary = SummaryAt { seq, root: root.to_string(), time, summary };
            *served.summary.lock().unwrap_or_else(PoisonError::into_inner) = Some(summary.clone());
            Ok(Json(summary))
        }
        LedgerAnswer::Account(_) | LedgerAnswer::Accounts(_) => Err(other_answer()),
    }
}

async fn read(served: &Served, query: LedgerQuery) -> Result<(SeqNum, LedgerAnswer), HttpError> {
    let _turn = served.reads.acquire().await.map_err(|error| HttpError::bug(error.to_string()))?;
    let snapshot = snapshot(served).await?;
    let seq = snapshot.seq();
    let answer = off_thread(move || ask(&snapshot, &query)).await?;
    Ok((seq, answer?))
}

async fn snapshot(served: &Served) -> Result<Snapshot, HttpError> {
    let state = served.replica.reader().state().await;
    state.map_err(|error| HttpError::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
}

/// Reading is work: it must not hold up the tasks that move frames.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, HttpError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| HttpError::bug(error.to_string()))
}

fn ask(snapshot: &Snapshot, query: &LedgerQuery) -> Result<LedgerAnswer, HttpError> {
    let query = serde_json::to_vec(query).map_err(|error| HttpError::bug(error.to_string()))?;
    match snapshot.application().query(&query) {
        Outcome::Done(bytes) => serde_json::from_slice(&bytes).map_err(|error| HttpError::bug(error.to_string())),
        Outcome::Refused(reason) => Err(HttpError::bad_request(String::from_utf8_lossy(&reason))),
        outcome @ (Outcome::OverLimit(_) | Outcome::Panicked | Outcome::Skipped(_)) => {
            Err(HttpError::bug(format!("{outcome:?}")))
        }
    }
}

fn other_answer() -> HttpError {
    HttpError::bug("the ledger answered another question")
}
