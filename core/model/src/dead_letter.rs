//! The ids of dead letters.

use crate::address::segment_after;
use crate::task::{ON_FAILURE, ON_SUCCESS, Record};
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Identifies a dead letter by what has failed and when. Written `<failedAt>-<time><stage>-<task
/// id>`. The stage is `r` for the run itself, `s` for its follow-up `onSuccess` and `f` for
/// `onFailure`: `1764000000123-1764000000000r-order-7`.
///
/// A dead letter that is replayed and fails again has another id, because it failed at another
/// time. So a repeated replay or discard affects nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DeadLetterId {
    /// When it failed for good; 0 if its record does not say so.
    pub failed_at: UnixMillis,
    /// The nominal time of its run; 0 if its record does not say so.
    pub time: UnixMillis,
    /// The stage of the run that failed.
    pub stage: Stage,
    /// The id of its task.
    pub task: String,
}

/// The stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The run itself.
    Run,
    /// The follow-up of a run that succeeded.
    OnSuccess,
    /// The follow-up of a run that failed for good.
    OnFailure,
}

impl Stage {
    const fn letter(self) -> char {
        match self {
            Self::Run => 'r',
            Self::OnSuccess => 's',
            Self::OnFailure => 'f',
        }
    }

    fn of_letter(letter: char) -> Option<Self> {
        [Self::Run, Self::OnSuccess, Self::OnFailure]
            .into_iter()
            .find(|stage| stage.letter() == letter)
    }
}

/// The text is not the id of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not the id of a dead letter; give one from GET /v1/dead-letters, unchanged")]
pub struct DeadLetterIdError;

impl DeadLetterId {
    /// Returns the id of the dead letter with this record.
    pub fn of(record: &Record<'_>) -> Self {
        let stage = match record.stage.as_deref() {
            Some(ON_SUCCESS) => Stage::OnSuccess,
            Some(ON_FAILURE) => Stage::OnFailure,
            _ => Stage::Run,
        };
        Self {
            failed_at: record.failed_at.unwrap_or(UnixMillis::ZERO),
            time: record.time.unwrap_or(UnixMillis::ZERO),
            stage,
            task: record.id.clone().into_owned(),
        }
    }

    /// Returns the path of the dead letter in the API.
    pub fn path(&self) -> String {
        segment_after("/v1/dead-letters/", &self.to_string())
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { failed_at, time, stage, task } = self;
        write!(f, "{failed_at}-{time}{}-{task}", stage.letter())
    }
}

impl FromStr for DeadLetterId {
    type Err = DeadLetterIdError;

    fn from_str(text: &str) -> Result<Self, DeadLetterIdError> {
        let (failed_at, rest) = text.split_once('-').ok_or(DeadLetterIdError)?;
        let (run, task) = rest.split_once('-').ok_or(DeadLetterIdError)?;
        let letter = run.chars().last().ok_or(DeadLetterIdError)?;
        let stage = Stage::of_letter(letter).ok_or(DeadLetterIdError)?;
        let time = run.strip_suffix(letter).unwrap_or_default();
        let id = Self {
            failed_at: millis(failed_at)?,
            time: millis(time)?,
            stage,
            task: task.to_owned(),
        };
        if task.is_empty() { Err(DeadLetterIdError) } else { Ok(id) }
    }
}

/// Parses a time in an id. Each time has exactly one text.
fn millis(digits: &str) -> Result<UnixMillis, DeadLetterIdError> {
    let millis = digits.parse::<i64>().map_err(|_| DeadLetterIdError)?;
    if millis < 0 || millis.to_string() != digits {
        return Err(DeadLetterIdError);
    }
    Ok(UnixMillis::new(millis))
}

impl From<DeadLetterId> for String {
    fn from(id: DeadLetterId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for DeadLetterId {
    type Error = DeadLetterIdError;

    fn try_from(text: String) -> Result<Self, DeadLetterIdError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_and_read_back() {
        for (record, written) in [
            (
                r#"{"time":1764000000000,"id":"order-7","callback":{},"failedAt":1764000000123}"#,
                "1764000000123-1764000000000r-order-7",
            ),
            (r#"{"time":5,"id":"a","callback":{},"stage":"onSuccess","failedAt":7}"#, "7-5s-a"),
            (
                r#"{"time":5,"id":"-1-2r-/ä%","callback":{},"stage":"onFailure","failedAt":7}"#,
                "7-5f--1-2r-/ä%",
            ),
            (r#"{"id":"a","callback":{}}"#, "0-0r-a"),
        ] {
            let id = DeadLetterId::of(&Record::parse(record.as_bytes()).unwrap());
            assert_eq!(id.to_string(), written);
            assert_eq!(written.parse(), Ok(id.clone()));
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(json, format!("\"{written}\""));
            assert_eq!(serde_json::from_str::<DeadLetterId>(&json).unwrap(), id);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "-",
            "7",
            "7-5r",
            "7-5r-",
            "7-5x-a",
            "7-5-a",
            "7-r-a",
            "-7-5r-a",
            "07-5r-a",
            "7-+5r-a",
            "7-5é-a",
            "x-5r-a",
            "99999999999999999999-5r-a",
        ] {
            assert_eq!(text.parse::<DeadLetterId>(), Err(DeadLetterIdError), "{text}");
        }
    }

    #[test]
    fn an_address_is_percent_encoded() {
        let id: DeadLetterId = "7-5r-a/b ä%".parse().unwrap();
        assert_eq!(id.path(), "/v1/dead-letters/7-5r-a%2Fb%20%C3%A4%25");
    }
}
