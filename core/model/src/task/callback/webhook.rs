//! A request to a URL.

use super::fields::{Fields, missing};
use super::{Message, check_timeout};
use crate::bounds::MAX_URL_BYTES;
use crate::hosts::{Hosts, check_host};
use crate::input::{FieldError, at_most};
use std::borrow::Cow;
use url::{ParseError, Url};

/// A request to a URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook<'a> {
    /// http or https.
    pub url: Cow<'a, str>,
    /// Method, headers and body.
    pub message: Message<'a>,
    /// The most time an attempt may take, including redirects, in seconds.
    pub timeout_seconds: u32,
}

impl<'a> Webhook<'a> {
    pub(super) fn read(mut fields: Fields<'a>) -> Result<Self, FieldError> {
        Ok(Self {
            message: Message::read(&mut fields)?,
            timeout_seconds: fields.timeout_seconds(),
            url: fields.url.ok_or_else(|| missing("callback.url", "give the URL to call"))?,
        })
    }

    pub(super) fn check(&self, hosts: Hosts<'_>) -> Result<(), FieldError> {
        at_most("callback.url", self.url.len(), MAX_URL_BYTES)?;
        parse_url(&self.url, hosts).map_err(|problem| FieldError::new("callback.url", problem))?;
        check_timeout(self.timeout_seconds)?;
        self.message.check()
    }
}

/// Parses a URL that a webhook may call: http or https, without credentials, and with a host that
/// is public or allowed, and not the scheduler's own. Requests must go to the returned URL and not
/// to the text, because another parser may read another host in the text.
///
/// # Errors
/// The problem and what to do, to be read after the name of the field.
pub fn parse_url(text: &str, hosts: Hosts<'_>) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|problem| match problem {
        ParseError::RelativeUrlWithoutBase => {
            "is not a complete URL; begin it with https://".to_owned()
        }
        problem => format!("is not a URL: {problem}"),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("has the scheme {}; must be http or https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "has a user name or password in it; send an Authorization header instead".to_owned()
        );
    }
    check_host(&url, hosts).map_err(|problem| problem.to_string())?;
    Ok(url)
}
