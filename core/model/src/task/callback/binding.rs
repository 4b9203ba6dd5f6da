//! Calls through a binding: of another Worker or of a Durable Object.

use super::fields::{Fields, missing};
use super::{Body, Message, check_binding, check_timeout};
use crate::bounds::{MAX_FUNCTION_BYTES, MAX_OBJECT_NAME_BYTES, MAX_URL_BYTES};
use crate::input::{FieldError, at_most};
use std::borrow::Cow;

/// A call of another Worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Service<'a> {
    /// The name of the service binding.
    pub binding: Cow<'a, str>,
    /// What is called.
    pub call: Call<'a>,
    /// The most time an attempt may take, in seconds.
    pub timeout_seconds: u32,
}

/// A call of a Durable Object.
#[derive(Debug, Clone, PartialEq)]
pub struct DurableObject<'a> {
    /// The binding of the namespace.
    pub binding: Cow<'a, str>,
    /// The name of the object.
    pub name: Cow<'a, str>,
    /// What is called.
    pub call: Call<'a>,
    /// The most time an attempt may take, in seconds.
    pub timeout_seconds: u32,
}

/// What is called behind a binding.
#[derive(Debug, Clone, PartialEq)]
pub enum Call<'a> {
    /// A request to its `fetch`.
    Request {
        /// Path and query, starting with `/`.
        path: Cow<'a, str>,
        /// Method, headers and body.
        message: Message<'a>,
    },
    /// A call of one of its functions by RPC.
    Function {
        /// The function's name.
        name: Cow<'a, str>,
        /// The only argument; if absent, the record.
        argument: Option<Body<'a>>,
    },
}

/// Names that are not functions of the user: those of the runtime, and those that every object or
/// promise has.
const RESERVED_FUNCTIONS: [&str; 22] = [
    "fetch",
    "connect",
    "dup",
    "constructor",
    "alarm",
    "webSocketMessage",
    "webSocketClose",
    "webSocketError",
    "queue",
    "scheduled",
    "tail",
    "trace",
    "email",
    "then",
    "catch",
    "finally",
    // Members of `Object.prototype`, which every object has. A task that names one would succeed
    // without calling a function of the user.
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

impl<'a> Service<'a> {
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, FieldError> {
        Ok(Self {
            binding: read_binding(&mut fields, "give the name of a service binding")?,
            timeout_seconds: fields.timeout_seconds(),
            call: Call::read(fields)?,
        })
    }

    pub(super) fn check(&self, allowed: &[String]) -> Result<(), FieldError> {
        check_binding(
            "callback.binding",
            &self.binding,
            "service binding is allowed (SERVICE_BINDINGS)",
            allowed,
        )?;
        check_timeout(self.timeout_seconds)?;
        self.call.check()
    }
}

impl<'a> DurableObject<'a> {
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, FieldError> {
        Ok(Self {
            binding: read_binding(&mut fields, "give the binding of a Durable Object namespace")?,
            name: fields
                .name
                .take()
                .ok_or_else(|| missing("callback.name", "give the name of the object to call"))?,
            timeout_seconds: fields.timeout_seconds(),
            call: Call::read(fields)?,
        })
    }

    pub(super) fn check(&self, allowed: &[String]) -> Result<(), FieldError> {
        check_binding(
            "callback.binding",
            &self.binding,
            "binding of a Durable Object namespace is allowed (DURABLE_OBJECT_BINDINGS)",
            allowed,
        )?;
        if self.name.is_empty() {
            return Err(FieldError::new(
                "callback.name",
                "is empty; give the name of the object to call",
            ));
        }
        at_most("callback.name", self.name.len(), MAX_OBJECT_NAME_BYTES)?;
        check_timeout(self.timeout_seconds)?;
        self.call.check()
    }
}

fn read_binding<'a>(fields: &mut Fields<'a>, what: &str) -> Result<Cow<'a, str>, FieldError> {
    fields.binding.take().ok_or_else(|| missing("callback.binding", what))
}

impl<'a> Call<'a> {
    fn read(mut fields: Fields<'a>) -> Result<Self, FieldError> {
        match (fields.path.take(), fields.function.take()) {
            (Some(path), None) => Ok(Self::Request { path, message: Message::read(&mut fields)? }),
            (None, Some(name)) => {
                for (is_given, field) in [
                    (fields.method.is_some(), "callback.method"),
                    (fields.headers.is_some(), "callback.headers"),
                ] {
                    if is_given {
                        return Err(FieldError::new(
                            field,
                            "does not belong to the call of a function; leave it out",
                        ));
                    }
                }
                Ok(Self::Function { name, argument: fields.body()? })
            }
            (None, None) => Err(missing(
                "callback.path",
                "give a path for a request, or the name of a function",
            )),
            (Some(_), Some(_)) => Err(FieldError::new(
                "callback.function",
                "cannot be called at a path; give one of path and function",
            )),
        }
    }

    fn check(&self) -> Result<(), FieldError> {
        match self {
            Self::Request { path, message } => {
                at_most("callback.path", path.len(), MAX_URL_BYTES)?;
                if !path.starts_with('/') {
                    return Err(FieldError::new("callback.path", "must begin with /"));
                }
                message.check()
            }
            Self::Function { name, .. } => check_function(name),
        }
    }
}

fn check_function(name: &str) -> Result<(), FieldError> {
    at_most("callback.function", name.len(), MAX_FUNCTION_BYTES)?;
    let is_letter = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$');
    if !name.bytes().next().is_some_and(is_letter)
        || !name.bytes().all(|b| is_letter(b) || b.is_ascii_digit())
    {
        return Err(FieldError::new(
            "callback.function",
            "is not a function's name; use letters, digits, _ and $",
        ));
    }
    // JavaScript engines use names that start with two underscores for themselves.
    if RESERVED_FUNCTIONS.contains(&name) || name.starts_with("__") {
        return Err(FieldError::new(
            "callback.function",
            format!("is {name}, which cannot be called by RPC"),
        ));
    }
    Ok(())
}
