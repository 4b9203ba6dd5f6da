//! What everybody may read, without a key.

use crate::openapi;
use crate::problem::{Problem, ProblemType};
use crate::response::Answer;
use scheduler_calendar::tz;

/// `GET /healthz`.
pub(crate) fn health(_: &str) -> Result<Answer, Problem> {
    Ok(Answer::of(200, &serde_json::json!({ "status": "ok", "timeZones": tz::release() })))
}

/// `GET /openapi.json`.
pub(crate) fn document(_: &str) -> Result<Answer, Problem> {
    Ok(Answer::json(200, openapi::TEXT.as_bytes().to_vec()))
}

/// `GET /problems`.
pub(crate) fn problem_types(_: &str) -> Result<Answer, Problem> {
    Ok(Answer::markdown(ProblemType::index()))
}

/// `GET /problems/{id}`.
pub(crate) fn problem_type(name: &str) -> Result<Answer, Problem> {
    let page = ProblemType::page(name);
    page.map(Answer::markdown).ok_or_else(|| Problem::no_route("GET", &format!("/problems/{name}")))
}
