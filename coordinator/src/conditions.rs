//! The conditions of a request: `If-Match` and `If-None-Match` (RFC 9110, section 13.1). This
//! module parses them, compares them with versions, and defines what each route does with them.

use crate::problem::Problem;
use scheduler_model::format::hex;
use scheduler_model::idempotency;
use scheduler_model::input::FieldError;
use worker::Headers;

/// The headers with conditions.
pub(crate) const IF_MATCH: &str = "If-Match";
pub(crate) const IF_NONE_MATCH: &str = "If-None-Match";

/// What a route does with the conditions of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    /// The route changes one task. It answers 412 if a condition does not hold.
    Change,
    /// The route reads one task. It answers 412 if `If-Match` does not hold, and 304 if
    /// `If-None-Match` does not hold.
    Read,
    /// The route reads something without a version. It always answers in full, because the caller
    /// cannot know its state.
    Ignored,
    /// The route changes something without a version, or many tasks. It refuses conditions, because
    /// a change without the check could do what the caller wants to exclude.
    Refused,
}

impl Conditions {
    /// Checks the conditions of a request before anything is done.
    ///
    /// # Errors
    /// Returns an error if a condition cannot be parsed, or if the route refuses it.
    pub(crate) fn check(self, headers: &Headers) -> Result<(), Problem> {
        for field in [IF_MATCH, IF_NONE_MATCH] {
            let Some(text) = given(headers, field) else { continue };
            match self {
                Self::Change | Self::Read => {
                    drop(Condition::parse(field, &text).map_err(Problem::invalid)?)
                }
                Self::Ignored => {}
                Self::Refused => {
                    let detail = "is not supported here, because only a single task or calendar has a version; change tasks one by one, or omit the header";
                    return Err(Problem::condition_refused(field, detail));
                }
            }
        }
        Ok(())
    }
}

/// What a route does with the header `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// The route obeys the header.
    Once,
    /// The route ignores the header, because a repeated request changes nothing more.
    Harmless,
    /// The route refuses the header, because a repeated request acts again, which the caller wants
    /// to exclude.
    ActAgain,
}

impl Repeats {
    /// Checks the headers of a request before anything is done.
    ///
    /// # Errors
    /// Returns an error if the route refuses the header.
    pub(crate) fn check(self, headers: &Headers) -> Result<(), Problem> {
        if self == Self::ActAgain && given(headers, idempotency::HEADER).is_some() {
            let detail = "is not supported here, because each such request acts, even a repeated one; omit the header";
            return Err(Problem::condition_refused(idempotency::HEADER, detail));
        }
        Ok(())
    }
}

/// Returns the text of a header, even if it is empty. The platform currently removes these two
/// headers before the Worker if they are empty.
pub(crate) fn given(headers: &Headers, field: &str) -> Option<String> {
    let text = headers.get(field).ok().flatten();
    text.or_else(|| headers.has(field).is_ok_and(|is_there| is_there).then(String::new))
}

/// The entity tags that a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`: any task.
    Any,
    /// One of these tags.
    Tags(Vec<Tag>),
}

/// An entity tag in a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    is_weak: bool,
    /// The version of a task that the tag names, or `None` if the tag is not one of this API.
    version: Option<u64>,
    /// The state that the answer showed, or `None` if the tag has the version only, as in earlier
    /// releases.
    state: Option<u64>,
}

/// The text is part of the fingerprint of a request with an `Idempotency-Key`, and earlier releases
/// have stored such fingerprints, so it must not change.
impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tag")
            .field("is_weak", &self.is_weak)
            .field("version", &self.version)
            .finish()
    }
}

/// The entity tag of an answer that shows a task, written as `"<version>.<state>"`; both parts have
/// 16 hexadecimal digits. The conditions of a change compare only versions, because a change
/// depends on the task's content and not on its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ETag {
    /// The version of the task's content.
    pub(crate) version: u64,
    /// The version of everything that the answer shows, including the status and the due time.
    pub(crate) state: u64,
}

impl std::fmt::Display for ETag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{:016x}.{:016x}\"", self.version, self.state)
    }
}

impl Condition {
    /// Parses the header `field`.
    ///
    /// # Errors
    /// Returns an error if the header is neither `*` nor a list of entity tags.
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
            // A tag may contain a comma, but no quote.
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

    /// Returns the versions that `If-Match` allows, which are those of the strong tags. Returns
    /// `None` for `*`, which allows every version. An empty list allows none.
    pub(crate) fn strong_versions(&self) -> Option<Vec<u64>> {
        match self {
            Self::Any => None,
            Self::Tags(tags) => {
                Some(tags.iter().filter(|tag| !tag.is_weak).filter_map(|tag| tag.version).collect())
            }
        }
    }

    /// Returns the version if `If-Match` names one strong tag and nothing else. Then a shard can
    /// check it.
    pub(crate) fn only_version(&self) -> Option<u64> {
        match self {
            Self::Tags(tags) if tags.len() == 1 => self.strong_versions()?.first().copied(),
            _ => None,
        }
    }

    /// Returns whether a task with `version` fulfills `If-Match`, by the strong comparison.
    pub(crate) fn allows(&self, version: u64) -> bool {
        self.strong_versions().is_none_or(|versions| versions.contains(&version))
    }

    /// Returns whether the `If-None-Match` of a read names the tag of the answer, by the weak
    /// comparison.
    pub(crate) fn has_seen(&self, tag: ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags
                .iter()
                .any(|seen| (seen.version, seen.state) == (Some(tag.version), Some(tag.state))),
        }
    }

    /// Returns whether the `If-None-Match` of a change names `version`, by the weak comparison.
    pub(crate) fn names(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.version == Some(version)),
        }
    }
}

/// Parses the 16 hexadecimal digits of one part of a tag.
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
    fn conditions_are_parsed() {
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
    fn a_weak_tag_fails_if_match_and_counts_for_if_none_match() {
        for (text, allows, names) in [
            ("*", true, true),
            (r#""000000000000000a""#, true, true),
            (r#"W/"000000000000000a""#, false, true),
            (r#""000000000000000b", "000000000000000a""#, true, true),
            (r#""000000000000000b""#, false, false),
            (r#""""#, false, false),
            // The tag of an answer names the version, whatever state it has.
            (r#""000000000000000a.000000000000000b""#, true, true),
            (r#"W/"000000000000000a.000000000000000b""#, false, true),
            (r#""000000000000000a.""#, true, true),
            (r#""000000000000000a.x.y""#, true, true),
            (r#""000000000000000b.000000000000000a""#, false, false),
            (r#"".000000000000000a""#, false, false),
            // A tag of this API has no blank.
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
            // A tag without a state does not match any state.
            (r#""000000000000000a""#, false),
            (r#""000000000000000a.""#, false),
        ] {
            assert_eq!(parsed(text).has_seen(tag), is_seen, "{text}");
        }
    }

    #[test]
    fn the_state_of_a_tag_is_not_part_of_an_idempotent_request() {
        let shown = r#"Tags([Tag { is_weak: true, version: Some(10) }])"#;
        for text in [r#"W/"000000000000000a""#, r#"W/"000000000000000a.000000000000000b""#] {
            assert_eq!(format!("{:?}", parsed(text)), shown);
        }
    }
}
