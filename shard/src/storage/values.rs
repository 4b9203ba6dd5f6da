//! Converts values of the engine to values of SQL and back.

use scheduler_engine::{Destination, StorageError};
use scheduler_model::numbers::LaneNumber;
use worker::SqlStorageValue as Value;
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::JsValue;

/// The text in the outbox for [`Destination::Dispatch`]. The name of a binding is never empty.
const DISPATCH: &str = "";
/// The prefix of the number of a [`Destination::Lane`] in the outbox. No name of a binding begins
/// with it.
const LANE: char = '#';

pub(crate) fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Blob(bytes) => bytes.len(),
        Value::String(text) => text.len(),
        _ => 0,
    }
}

/// Converts a value. The SDK's conversion of bytes fills the array with zeros before it copies them.
pub(crate) fn js_of(value: Value) -> JsValue {
    match value {
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        other => other.into(),
    }
}

pub(crate) fn failed(problem: worker::Error) -> StorageError {
    StorageError(problem.to_string())
}

pub(crate) fn integer(value: u32) -> Value {
    Value::Integer(i64::from(value))
}

/// Envelopes are counted from 1. At 1,000 per second, 2^53, the last exact integer in JavaScript,
/// is reached after 285,000 years.
pub(crate) fn seq_value(seq: u64) -> Value {
    Value::Integer(i64::try_from(seq).unwrap_or(i64::MAX))
}

pub(crate) fn number(value: Option<Value>) -> Result<i64, StorageError> {
    match value {
        Some(Value::Integer(number)) => Ok(number),
        other => Err(StorageError(format!("expected an integer, found {other:?}"))),
    }
}

pub(crate) fn optional(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::from)
}

pub(crate) fn optional_number(value: Option<Value>) -> Result<Option<i64>, StorageError> {
    match value {
        Some(Value::Null) => Ok(None),
        other => number(other).map(Some),
    }
}

pub(crate) fn blob(value: Option<Value>) -> Result<Vec<u8>, StorageError> {
    match value {
        Some(Value::Blob(bytes)) => Ok(bytes),
        None => Err(StorageError("no such row".to_owned())),
        _ => Err(StorageError("expected a blob".to_owned())),
    }
}

pub(crate) fn optional_blob(value: Option<Value>) -> Result<Vec<u8>, StorageError> {
    match value {
        Some(Value::Null) => Ok(Vec::new()),
        other => blob(other),
    }
}

pub(crate) fn destination_text(destination: &Destination) -> String {
    match destination {
        Destination::Dispatch => DISPATCH.to_owned(),
        Destination::Lane(lane) => format!("{LANE}{lane}"),
        Destination::Queue(binding) => binding.clone(),
    }
}

pub(crate) fn destination(value: Option<Value>) -> Result<Option<Destination>, StorageError> {
    match value {
        Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text == DISPATCH => Ok(Some(Destination::Dispatch)),
        Some(Value::String(text)) => match text.strip_prefix(LANE) {
            Some(lane) => {
                let lane = lane
                    .parse()
                    .map(LaneNumber::new)
                    .map_err(|_| StorageError(format!("expected a lane, found {text}")))?;
                Ok(Some(Destination::Lane(lane)))
            }
            None => Ok(Some(Destination::Queue(text))),
        },
        other => Err(StorageError(format!("expected a destination, found {other:?}"))),
    }
}
