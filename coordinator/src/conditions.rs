//! The conditions of a request: `If-Match` and `If-None-Match` (RFC 9110, section 13.1), as texts and as what they allow.

use scheduler_core::task::FieldError;

/// The entity tags that a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `*`: whatever is there.
    Any,
    /// One of these.
    Tags(Vec<Tag>),
}

/// An entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    is_weak: bool,
    /// The version of a task that it stands for; `None` for a tag that this API does not give.
    version: Option<u64>,
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
            let is_hex = tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
            let version = u64::from_str_radix(tag, 16).ok().filter(|_| is_hex);
            tags.push(Tag { is_weak: strong.is_some(), version });
            rest = after.trim_start_matches([' ', '\t']);
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(refuse());
            }
        }
    }

    /// Returns the versions that `If-Match` allows: those of strong tags. `None` for `*`, which allows each. An empty list allows none.
    pub(crate) fn strong_versions(&self) -> Option<Vec<u64>> {
        match self {
            Self::Any => None,
            Self::Tags(tags) => Some(tags.iter().filter(|tag| !tag.is_weak).filter_map(|tag| tag.version).collect()),
        }
    }

    /// Returns the version, where `If-Match` names one strong tag and nothing else: then a shard can check it by itself.
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

    /// Returns whether a task of this version is one that `If-None-Match` names: the weak comparison.
    pub(crate) fn names(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.version == Some(version)),
        }
    }
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
        for bad in ["", ",", "000000000000000a", "\"000000000000000a", "w/\"a\"", "\"a\" \"b\"", "W/*", "*, \"a\"", "\"a\"x"] {
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
            (r#""+00000000000000a""#, false, false),
            (r#""somebody else's""#, false, false),
        ] {
            let condition = parsed(text);
            assert_eq!((condition.allows(10), condition.names(10)), (allows, names), "{text}");
        }
        assert_eq!(parsed(r#"W/"000000000000000a""#).only_version(), None);
    }
}
