//! Answers the requests that need no key.

use crate::openapi;
use crate::problem::{Problem, ProblemType};
use crate::response::Answer;
use scheduler_calendar::tz;

/// `GET /healthz` answers that the Worker runs.
pub(crate) fn health(_: &str) -> Result<Answer, Problem> {
    Ok(Answer::of(200, &serde_json::json!({ "status": "ok", "timeZones": tz::release() })))
}

/// `GET /openapi.json` answers with the API's document.
pub(crate) fn document(_: &str) -> Result<Answer, Problem> {
    Ok(Answer::json(200, openapi::TEXT.as_bytes().to_vec()))
}

/// `GET /problems` lists the problem types.
pub(crate) fn problem_types(_: &str) -> Result<Answer, Problem> {
    Ok(Answer::markdown(ProblemType::index()))
}

/// `GET /problems/{id}` explains a problem type.
pub(crate) fn problem_type(name: &str) -> Result<Answer, Problem> {
    let page = ProblemType::page(name);
    page.map(Answer::markdown).ok_or_else(|| Problem::no_route("GET", &format!("/problems/{name}")))
}
