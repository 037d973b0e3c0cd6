//! [`HttpError`]: an answer that says what went wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that says what went wrong, as JSON with the field `error`.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    problem: String,
}

impl HttpError {
    pub(super) fn new(status: StatusCode, problem: impl Into<String>) -> Self {
        HttpError { status, problem: problem.into() }
    }

    /// The question makes no sense.
    pub(super) fn bad_request(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, problem)
    }

    /// A part of this program broke its word.
    pub(super) fn bug(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, problem)
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.problem }))).into_response()
    }
}
