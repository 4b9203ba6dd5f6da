//! Words around a task that request it and do not describe it: "set up a recurring reminder to",
//! "thanks".

use crate::lexicon::own_word;
use crate::token::{Kind, Token};

/// Verbs that request a reminder or a task.
#[rustfmt::skip]
const VERBS: &[&[&str]] = &[
    &["set", "up"], &["set"], &["create"], &["add"], &["make"], &["schedule"], &["give", "me"], &["send", "me"], &["get", "me"], &["i", "need"], &["i", "want"], &["i'd", "like"], &["i", "would", "like"], &["we", "need"], &["need"],
    &["stell", "mir"], &["stelle", "mir"], &["stell"], &["stelle"], &["setz"], &["setze"], &["erstelle", "mir"], &["erstelle"], &["erstell"], &["lege"], &["leg"], &["richte"], &["ich", "brauche"], &["ich", "hätte", "gern"],
];

const ARTICLES: &[&str] = &["a", "an", "another", "me", "my", "the", "mir"];

/// Words before a reminder or a task that say that it recurs, or nothing.
#[rustfmt::skip]
const KINDS: &[&[&str]] = &[
    &["automatic"], &["daily"], &["monthly"], &["new"], &["one", "-", "off"], &["one", "-", "time"], &["one", "off"], &["one", "time"], &["onetime"], &["recurrent"], &["recurring"], &["regular"], &["repeated"], &["repeating"], &["scheduled"],
    &["weekly"], &["yearly"],
    &["automatische"], &["neue"], &["neuen"], &["regelmäßige"], &["regelmäßigen"], &["wiederholende"], &["wiederkehrende"], &["wiederkehrenden"], &["wiederkehrender"],
];

const REMINDERS: &[&str] =
    &["alarm", "alert", "countdown", "notification", "reminder", "reminders", "timer"];

/// Tasks that are somebody's appointment. Before the words of [`WITH`], they describe the task.
const APPOINTMENTS: &[&str] = &["appointment", "event", "termin"];

const WITH: &[&str] = &["with", "bei", "mit"];

/// Words behind a job that say what it does.
#[rustfmt::skip]
const DOES: &[&[&str]] = &[&["that"], &["which"], &["to"]];

/// Words behind a job that say that it runs, without saying what.
const RUNS: &[&[&str]] = &[&["runs"], &["run"], &["starts"], &["executes"], &["fires"]];

/// Words for a task that describe it unless its kind is before them.
#[rustfmt::skip]
const TASKS: &[&str] = &["appointment", "cron", "event", "item", "job", "task", "todo", "aufgabe", "eintrag", "job", "termin"];

/// Words between the request and the task.
#[rustfmt::skip]
const BEHIND: &[&[&str]] = &[
    &["for", "me"], &["for", "us"], &["called"], &["named"], &["saying"], &["titled"], &["about"], &["for"], &["of"], &["that"], &["to"], &["an"],
];

/// Thanks at the end of a phrase.
#[rustfmt::skip]
const THANKS: &[&[&str]] = &[
    &["thank", "you", "so", "much"], &["thank", "you", "very", "much"], &["many", "thanks"], &["thanks", "a", "lot"], &["thanks", "so", "much"], &["thanks", "in", "advance"], &["thank", "you"], &["thanks"], &["cheers"], &["thx"], &["ty"],
    &["vielen", "dank"], &["danke", "dir"], &["danke", "schön"], &["dankeschön"], &["danke"], &["merci"], &["lg"],
];

/// Thanks that are no objects of a verb, as in "send thanks".
const SHORT_THANKS: &[&str] = &["thx", "ty", "lg"];

/// Returns the number of words at the beginning that request a task: "set up a recurring reminder
/// to". `is_before_colon` says whether a colon follows this word.
pub(super) fn request(words: &[&Token], is_before_colon: impl Fn(&Token) -> bool) -> usize {
    let mut at = 0;
    let has_verb = take(words, &mut at, VERBS);
    while words.get(at).is_some_and(|word| is_one(word, ARTICLES)) {
        at += 1;
    }
    let mut has_kind = false;
    while take(words, &mut at, KINDS) {
        has_kind = true;
    }
    let Some(head) = words.get(at) else { return 0 };
    // "create a repeating appointment with Bob"
    let is_with = words.get(at + 1).is_some_and(|next| is_one(next, WITH));
    if has_verb && has_kind && is_one(head, APPOINTMENTS) && is_with {
        return at;
    }
    let is_task = is_one(head, TASKS) && (has_kind || is_before_colon(head));
    let is_reminder = is_one(head, REMINDERS) && (has_verb || has_kind);
    let is_job = is_one(head, TASKS).then(|| job(words, at, has_verb)).flatten();
    if let (Some(end), false) = (is_job, is_task) {
        return end;
    }
    if !is_task && !is_reminder {
        return if has_verb && has_kind { at } else { 0 };
    }
    at += 1;
    while take(words, &mut at, BEHIND) {}
    at
}

/// Returns the end of a job at `at` that only runs, or whose work follows: "schedule a job to run",
/// "schedule a job that cleans the cache".
fn job(words: &[&Token], at: usize, has_verb: bool) -> Option<usize> {
    let mut at = at + 1;
    // "cron job"
    if words.get(at).is_some_and(|word| is_one(word, TASKS)) {
        at += 1;
    }
    // "a job for [every weekday at 18:00] to send the digest"
    let is_for = words.get(at).is_some_and(|word| is_one(word, &["for"]));
    if is_for && words.get(at + 1).is_some_and(|word| is_one(word, &["to"])) {
        return Some(at + 2);
    }
    let does = take(words, &mut at, DOES);
    let mut end = at;
    if take(words, &mut end, RUNS) {
        if end == words.len() {
            return Some(end);
        }
        // "a job that runs [every 5 minutes] and cleans the cache"
        if does && take(words, &mut end, &[&["and"]]) {
            return Some(end);
        }
    }
    (does || has_verb && at == words.len()).then_some(at)
}

/// Removes thanks at the end, if they are apart from the words before them.
pub(super) fn drop_thanks(phrase: &str, words: &mut Vec<&Token>) {
    while let Some(thanks) = THANKS.iter().find(|thanks| ends_with(words, thanks)) {
        let start = words.len() - thanks.len();
        let gap = start
            .checked_sub(1)
            .and_then(|last| phrase.get(words.get(last)?.span.end..words.get(start)?.span.start));
        let is_apart = gap.is_none_or(|gap| !gap.trim().is_empty());
        let is_short = words.last().is_some_and(|last| is_one(last, SHORT_THANKS));
        if !is_apart && !is_short {
            return;
        }
        words.truncate(start);
    }
}

/// Completes or removes a bracket that is open at one end. The description is `phrase` from `start`
/// to `end`, without the words that say when.
pub(super) fn close_brackets(phrase: &str, text: &str, start: usize, end: usize) -> String {
    let mut text = text.to_owned();
    for (open, close) in [('(', ')'), ('[', ']')] {
        let count = |c| text.matches(c).count();
        let (opened, closed) = (count(open), count(close));
        if opened > closed {
            if phrase.get(end..).is_some_and(|rest| rest.trim_start().starts_with(close)) {
                text.push(close);
            } else if let Some(at) = text.rfind(open) {
                text.remove(at);
            }
        } else if closed > opened {
            if phrase.get(..start).is_some_and(|before| before.ends_with(open)) {
                text.insert(0, open);
            } else if let Some(at) = text.find(close) {
                text.remove(at);
            }
        }
    }
    text
}

fn own(token: &Token) -> &str {
    own_word(&token.text).unwrap_or(&token.text)
}

fn is_one(token: &Token, words: &[&str]) -> bool {
    token.kind == Kind::Word && words.contains(&own(token))
}

/// Passes the first of these phrases that begins at `at`. Returns whether one does.
fn take(words: &[&Token], at: &mut usize, phrases: &[&[&str]]) -> bool {
    let rest = words.get(*at..).unwrap_or_default();
    let fits = |phrase: &&&[&str]| {
        rest.len() >= phrase.len()
            && phrase.iter().zip(rest).all(|(word, token)| own(token) == *word)
    };
    let Some(found) = phrases.iter().find(fits) else { return false };
    *at += found.len();
    true
}

fn ends_with(words: &[&Token], phrase: &[&str]) -> bool {
    words.len() >= phrase.len()
        && phrase.iter().rev().zip(words.iter().rev()).all(|(word, token)| own(token) == *word)
}
