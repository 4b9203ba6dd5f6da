//! What everybody may read, without a key.

use crate::openapi;
use crate::response::Answer;
use scheduler_calendar::tz;

/// `GET /healthz`.
pub(crate) fn health() -> Answer {
    Answer::of(200, &serde_json::json!({ "status": "ok", "timeZones": tz::release() }))
}

/// `GET /openapi.json`.
pub(crate) fn document() -> Answer {
    Answer::json(200, openapi::TEXT.as_bytes().to_vec())
}
