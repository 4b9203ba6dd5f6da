//! The conditions of a request: `If-Match` and `If-None-Match` (RFC 9110, section 13.1), as texts,
//! as what they allow, and as what routes do with them.

use crate::problem::Problem;
use scheduler_model::format::hex;
use scheduler_model::idempotency;
use scheduler_model::input::FieldError;
use worker::Headers;

/// The two headers.
pub(crate) const IF_MATCH: &str = "If-Match";
pub(crate) const IF_NONE_MATCH: &str = "If-None-Match";

/// What a route does with the conditions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    /// A change of one task: it is made if they hold, else answered 412.
    Change,
    /// A read of one task: it is answered 412 if `If-Match` does not hold, 304 if `If-None-Match`
    /// does not.
    Read,
    /// A read of what has no version: nothing of it can be known to the caller, so it is answered
    /// in full.
    Ignored,
    /// A change of what has no version, or of many tasks. To make it all the same could do what the
    /// caller wants to exclude.
    Refused,
}

impl Conditions {
    /// Checks the conditions of a request before anything is done.
    ///
    /// # Errors
    /// When a condition cannot be read, or the route refuses it.
    pub(crate) fn check(self, headers: &Headers) -> Result<(), Problem> {
        for field in [IF_MATCH, IF_NONE_MATCH] {
            let Some(text) = given(headers, field) else { continue };
            match self {
                Self::Change | Self::Read => {
                    drop(Condition::parse(field, &text).map_err(Problem::invalid)?)
                }
                Self::Ignored => {}
                Self::Refused => {
                    let detail = "is not taken here: only one task has a version; change tasks one by one, or leave it out";
                    return Err(Problem::condition_refused(field, detail));
                }
            }
        }
        Ok(())
    }
}

/// What a route does with the header that says that a request is to take effect once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// It honours the header.
    Once,
    /// It ignores the header: a repeated request changes nothing more.
    Harmless,
    /// It refuses the header: a repeated request acts again, which the caller wants to exclude.
    ActAgain,
}

impl Repeats {
    /// Checks the headers of a request before anything is done.
    ///
    /// # Errors
    /// When the route refuses the header.
    pub(crate) fn check(self, headers: &Headers) -> Result<(), Problem> {
        if self == Self::ActAgain && given(headers, idempotency::HEADER).is_some() {
            let detail =
                "is not taken here: each such request acts, also a repeated one; leave it out";
            return Err(Problem::condition_refused(idempotency::HEADER, detail));
        }
        Ok(())
    }
}

/// Returns the text of a header, also if it is empty. Today the platform drops these two headers if
/// they are empty, in front of the Worker.
pub(crate) fn given(headers: &Headers, field: &str) -> Option<String> {
    let text = headers.get(field).ok().flatten();
    text.or_else(|| headers.has(field).is_ok_and(|is_there| is_there).then(String::new))
}

/// The entity tags that a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`: whatever is there.
    Any,
    /// One of these.
    Tags(Vec<Tag>),
}

/// An entity tag in a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    is_weak: bool,
    /// The version of a task that it stands for; `None` for a tag that this API does not give.
    version: Option<u64>,
    /// What the answer showed; `None` for a tag of the version alone, as earlier releases gave
    /// them.
    state: Option<u64>,
}

/// It is part of what an `Idempotency-Key` stands for, so what was written of it before stays as it
/// was.
impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tag")
            .field("is_weak", &self.is_weak)
            .field("version", &self.version)
            .finish()
    }
}

/// The entity tag of an answer that shows a task, written as `"<version>.<state>"`, both 16
/// hexadecimal digits. A change is about what the task says, so conditions of changes compare
/// versions only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ETag {
    /// Of what the task says.
    pub(crate) version: u64,
    /// Of all that the answer shows: also the status, and when the task is due.
    pub(crate) state: u64,
}

impl std::fmt::Display for ETag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{:016x}.{:016x}\"", self.version, self.state)
    }
}

impl Condition {
    /// Reads the header `field`.
    ///
    /// # Errors
    /// When it is neither `*` nor a list of entity tags.
    pub(crate) fn parse(field: &'static str, text: &str) -> Result<Self, FieldError> {
        let refuse = || {
            let detail = "is neither * nor a list of ETags; give the one from the answer that showed the task, in quotes";
            FieldError::new(field, detail)
        };
        if text.trim_ascii() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = text;
        loop {
            // A list may have empty elements.
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return if tags.is_empty() { Err(refuse()) } else { Ok(Self::Tags(tags)) };
            }
            let strong = rest.strip_prefix("W/");
            let quoted = strong.unwrap_or(rest).strip_prefix('"').ok_or_else(refuse)?;
            // A tag may have a comma in it, but no quote.
            let (tag, after) = quoted.split_once('"').ok_or_else(refuse)?;
            let (version, state) = tag.split_once('.').unwrap_or((tag, ""));
            tags.push(Tag {
                is_weak: strong.is_some(),
                version: number(version),
                state: number(state),
            });
            rest = after.trim_start_matches([' ', '\t']);
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(refuse());
            }
        }
    }

    /// Returns the versions that `If-Match` allows: those of strong tags. `None` for `*`, which
    /// allows each. An empty list allows none.
    pub(crate) fn strong_versions(&self) -> Option<Vec<u64>> {
        match self {
            Self::Any => None,
            Self::Tags(tags) => {
                Some(tags.iter().filter(|tag| !tag.is_weak).filter_map(|tag| tag.version).collect())
            }
        }
    }

    /// Returns the version, where `If-Match` names one strong tag and nothing else: then a shard
    /// can check it by itself.
    pub(crate) fn only_version(&self) -> Option<u64> {
        match self {
            Self::Tags(tags) if tags.len() == 1 => self.strong_versions()?.first().copied(),
            _ => None,
        }
    }

    /// Returns whether a task of this version meets `If-Match`: the strong comparison.
    pub(crate) fn allows(&self, version: u64) -> bool {
        self.strong_versions().is_none_or(|versions| versions.contains(&version))
    }

    /// Returns whether `If-None-Match` of a read names what the answer shows: the weak comparison.
    pub(crate) fn has_seen(&self, tag: ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags
                .iter()
                .any(|seen| (seen.version, seen.state) == (Some(tag.version), Some(tag.state))),
        }
    }

    /// Returns whether a task of this version is one that `If-None-Match` of a change names: the
    /// weak comparison.
    pub(crate) fn names(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.version == Some(version)),
        }
    }
}

/// Reads the 16 hexadecimal digits of one part of a tag.
fn number(digits: &str) -> Option<u64> {
    hex::number(digits).filter(|_| digits.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Condition {
        Condition::parse("If-Match", text).unwrap()
    }

    #[test]
    fn conditions_are_read() {
        assert_eq!(parsed(" * "), Condition::Any);
        assert_eq!(parsed(r#""000000000000000a""#).only_version(), Some(10));
        assert_eq!(parsed(r#""000000000000000A""#).only_version(), Some(10));
        let list = parsed(r#""000000000000000a" ,, W/"000000000000000b","x,y","000000000000000c""#);
        assert_eq!((list.only_version(), list.strong_versions()), (None, Some(vec![10, 12])));
        for bad in [
            "",
            " ",
            ",",
            "000000000000000a",
            "\"000000000000000a",
            "w/\"a\"",
            "\"a\" \"b\"",
            "W/*",
            "*, \"a\"",
            "\"a\"x",
        ] {
            assert_eq!(Condition::parse("If-Match", bad).unwrap_err().field, "If-Match", "{bad}");
        }
    }

    #[test]
    fn a_weak_tag_meets_no_if_match_and_is_named_by_if_none_match() {
        for (text, allows, names) in [
            ("*", true, true),
            (r#""000000000000000a""#, true, true),
            (r#"W/"000000000000000a""#, false, true),
            (r#""000000000000000b", "000000000000000a""#, true, true),
            (r#""000000000000000b""#, false, false),
            (r#""""#, false, false),
            // What an answer gives, and whatever state it shows.
            (r#""000000000000000a.000000000000000b""#, true, true),
            (r#"W/"000000000000000a.000000000000000b""#, false, true),
            (r#""000000000000000a.""#, true, true),
            (r#""000000000000000a.x.y""#, true, true),
            (r#""000000000000000b.000000000000000a""#, false, false),
            (r#"".000000000000000a""#, false, false),
            // No tag of ours has a blank.
            (r#"" 000000000000000a""#, false, false),
            (r#""000000000000000a ""#, false, false),
            (r#""000000000000000a .000000000000000b""#, false, false),
            (r#""+00000000000000a""#, false, false),
            (r#""somebody else's""#, false, false),
        ] {
            let condition = parsed(text);
            assert_eq!((condition.allows(10), condition.names(10)), (allows, names), "{text}");
        }
        assert_eq!(parsed(r#"W/"000000000000000a""#).only_version(), None);
        assert_eq!(parsed(r#""000000000000000a.000000000000000b""#).only_version(), Some(10));
    }

    #[test]
    fn a_read_has_been_seen_only_if_it_shows_the_same_state() {
        let tag = ETag { version: 10, state: 11 };
        assert_eq!(tag.to_string(), r#""000000000000000a.000000000000000b""#);
        for (text, is_seen) in [
            ("*", true),
            (r#""000000000000000a.000000000000000b""#, true),
            (r#""x", W/"000000000000000a.000000000000000b""#, true),
            (r#""000000000000000a.000000000000000c""#, false),
            (r#""000000000000000b.000000000000000b""#, false),
            // It says nothing of the state.
            (r#""000000000000000a""#, false),
            (r#""000000000000000a.""#, false),
        ] {
            assert_eq!(parsed(text).has_seen(tag), is_seen, "{text}");
        }
    }

    #[test]
    fn a_request_under_an_idempotency_key_stays_the_same_whatever_state_its_tags_show() {
        let shown = r#"Tags([Tag { is_weak: true, version: Some(10) }])"#;
        for text in [r#"W/"000000000000000a""#, r#"W/"000000000000000a.000000000000000b""#] {
            assert_eq!(format!("{:?}", parsed(text)), shown);
        }
    }
}
