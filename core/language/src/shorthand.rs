//! Phrases that are cron expressions: `*/5 * * * *`, `@daily`, `cron 0 9 * * 1`.

use crate::token::{Kind, Token};
use crate::{Cron, Schedule, Span, calendar};

/// The number of fields of an expression. The names that begin with `@` have one word.
const FIELDS: std::ops::RangeInclusive<usize> = 5..=6;

/// Returns the tokens of `cron "…"` if the whole phrase is an expression.
pub(crate) fn tokens(phrase: &str) -> Option<Vec<Token>> {
    let text = phrase.trim();
    let lower = text.get(..5).unwrap_or_default().to_ascii_lowercase();
    let expression = if lower.starts_with("cron:") || lower == "cron " {
        text.get(5..)?.trim_start()
    } else {
        text
    };
    let begins = expression.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    if !begins && !expression.starts_with('@') {
        return None;
    }
    let fields = expression.split_whitespace().count();
    let is_name = fields == 1 && expression.starts_with('@');
    // Five numbers may mean anything.
    let has_star = expression.contains('*') || expression.len() < text.len();
    let is_expression = FIELDS.contains(&fields) && begins && has_star;
    if !is_name && !is_expression {
        return None;
    }
    let cron = Some(Cron::One(expression.to_owned()));
    calendar::runs(&Schedule { cron, ..Schedule::default() }, 0, 1).ok()?;
    let start = phrase.len() - phrase.trim_start().len();
    let span = Span { start, end: start + text.len() };
    let token = |kind, text: &str| Token { kind, text: text.to_owned(), span, is_glued: false };
    Some(vec![token(Kind::Word, "cron"), token(Kind::Quoted, expression)])
}
