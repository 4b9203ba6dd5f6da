//! Numbers that belong to a name in the task, and never say when: "room 204", "v2.3.1", "srv-12",
//! "10.0.0.12". The grammar does not read them.

use crate::lexicon::own_word;
use crate::token::{Kind, Token};
use crate::words;

/// Words before a number that names one of them, in any phrase.
#[rustfmt::skip]
const NAMED: &[&str] = &[
    "android", "article", "chapter", "chapters", "covid", "episode", "exhibit", "figure", "invoice", "ios", "ipad", "iphone", "issue", "nr", "page", "pages", "paragraph",
    "pixel", "playstation", "python", "release", "season", "section", "sku", "step", "ticket", "ubuntu", "version", "volume", "windows", "xbox",
    "abschnitt", "artikel", "folge", "formular", "kapitel", "nummer", "paragraf", "rechnung", "seite", "seiten", "staffel",
];

/// The same, in a phrase that gives a time of day or an interval within the day. Without one, "room
/// 7" may be at 7.
#[rustfmt::skip]
const NUMBERED: &[&str] = &[
    "account", "aisle", "apartment", "apt", "area", "batch", "bay", "boiler", "building", "bus", "channel", "class", "cluster", "customer", "deck", "door", "drawer", "elevator", "employee", "exercise", "exit",
    "extension", "file", "filter", "flat", "flight", "floor", "form", "garage", "gate", "greenhouse", "group", "highway", "host", "house", "id", "item", "job", "lane", "lesson", "level", "line", "locker", "lot", "machine", "mailbox",
    "milestone", "module", "motor", "node", "number", "office", "order", "part", "partition", "phase", "platform", "player", "playbook", "plot", "policy", "pool", "port", "postcode", "pr", "printer", "pump",
    "rack", "region", "replica", "request", "room", "route", "row", "rule", "runbook", "seat", "sensor", "server", "shard", "shelf", "shop", "site", "slide", "slot", "song", "sprint", "stage", "station", "store", "story", "street",
    "studio", "suite", "switch", "table", "tank", "team", "terminal", "track", "train", "tram", "truck", "turbine", "unit", "valve", "van", "vlan", "ward", "warehouse", "zip", "zone",
    "akte", "anlage", "aufzug", "auftrag", "aufgabe", "band", "becken", "bestellung", "blatt", "filiale", "fluegel", "flügel", "flug", "folie", "gebaeude", "gebäude", "gleis", "gruppe",
    "halle", "haus", "hausnummer", "kabine", "kanal", "kasse", "klasse", "konto", "kunde", "lager", "lektion", "lied", "linie", "maschine", "ofen", "parzelle", "platz", "projekt", "pumpe", "raum", "regal", "saal", "schritt",
    "schrank", "sitz", "spur", "stall", "stufe", "tafel", "teil", "tisch", "tor", "ventil", "vertrag", "vorgang", "wohnung", "zelle", "zimmer", "zug",
];

/// Words that are no nouns before a number.
#[rustfmt::skip]
const NEVER_NUMBERED: &[&str] = &[
    "a", "about", "all", "also", "zone", "am", "an", "and", "around", "as", "at", "be", "by", "count", "due", "for", "from", "i", "in", "is", "just", "max", "me", "min", "my", "of", "off", "on", "only", "our", "over", "p", "per",
    "please", "plus", "remind", "reminder", "run", "runs", "than", "that", "the", "then", "these", "this", "those", "to", "total", "under", "up", "us", "versus", "vs", "with", "x", "your",
    "ab", "auf", "aus", "bei", "beim", "ca", "dann", "das", "dem", "den", "der", "die", "ein", "eine", "etwa", "gegen", "je", "jeweils", "kurz", "mal", "mit", "nach", "nochmal", "nur", "und", "ungefähr", "vor", "wieder", "zu", "zum", "zur", "à",
];

/// Words before a number and directly next to it that count weeks, quarters or runs: "w47", "q3".
#[rustfmt::skip]
const COUNTED: &[&str] = &["a", "cw", "d", "fy", "h", "kw", "m", "p", "q", "s", "t", "w", "wk", "x", "y", "z"];

/// Words before a name such as "s3" and "q3", which may be a period behind others.
#[rustfmt::skip]
const BEFORE_PERIODS: &[&str] = &[
    "after", "around", "at", "before", "by", "during", "every", "for", "from", "in", "of", "on", "over", "since", "starting", "till", "until", "within",
];

/// Words behind a number that make it a time, a day, a length or a count.
#[rustfmt::skip]
const MARKS: &[&str] = &[
    "am", "h", "half", "halb", "hours", "hrs", "midday", "midnight", "nd", "noon", "o'clock", "oclock", "p", "past", "pm", "rd", "sharp", "st", "th", "time", "times", "uhr", "x",
];

/// Words and signs that make two numbers a list or a range.
const JOINTS: &[&str] = &["+", "&", ",", "-", "and", "bis", "or", "through", "till", "to", "until"];

/// The letters behind a number that are neither a unit of time nor a half of the day: "5k", "12b".
const LETTERS: &[&str] =
    &["b", "c", "e", "f", "g", "i", "j", "k", "l", "n", "o", "q", "r", "u", "v"];

/// Nouns behind an ordinal that is no day: "5th floor".
#[rustfmt::skip]
const BEHIND_ORDINALS: &[&str] = &["ave", "avenue", "edition", "floor", "grade", "grader", "graders", "graders'", "level", "street"];

/// The fewest digits of a telephone number that is written in groups.
const TELEPHONE: usize = 7;

/// The number of parts in an address such as `10.0.0.12`.
const ADDRESS: usize = 4;

/// A name with a number: tokens from `start` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether the number may be a time of day if the phrase gives no other.
    pub(crate) may_be_time: bool,
}

/// Returns the names with numbers in a phrase, in order.
pub(crate) fn names(tokens: &[Token]) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_known = names.last().is_some_and(|last| at < last.end);
        if token.kind == Kind::Number && !is_known {
            names.extend(Tokens(tokens).name(at));
        }
    }
    names
}

/// Returns whether a word can be a noun before a number: "team 4".
pub(crate) fn may_be_numbered(word: &str) -> bool {
    let word = own_word(word).unwrap_or(word);
    word.len() > 1 && !NEVER_NUMBERED.contains(&word)
}

/// Returns whether this letter behind a number is neither a unit of time nor a half of the day.
pub(crate) fn is_letter(text: &str) -> bool {
    LETTERS.contains(&own_word(text).unwrap_or(text))
}

/// Returns whether digits may be a time or a day: `7`, `31`, `930`, `1430`.
pub(crate) fn may_be_time(digits: &str) -> bool {
    match (digits.len(), digits.parse::<u32>()) {
        (1 | 2, Ok(number)) => number <= 31,
        (3 | 4, Ok(time)) => time / 100 < 24 && time % 100 < 60,
        _ => false,
    }
}

struct Tokens<'a>(&'a [Token]);

impl Tokens<'_> {
    fn text(&self, at: usize) -> &str {
        self.0.get(at).map_or("", |token| token.text.as_str())
    }

    /// Returns the word at a place, without the mark of its language; empty if it is none.
    fn word(&self, at: usize) -> &str {
        let word = self.0.get(at).filter(|token| token.kind == Kind::Word);
        word.map_or("", |token| own_word(&token.text).unwrap_or(&token.text))
    }

    fn is_glued(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(|token| token.is_glued)
    }

    fn is_number(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(|token| token.kind == Kind::Number)
    }

    /// Returns the name to which the number at `at` belongs.
    fn name(&self, at: usize) -> Option<Name> {
        if self.is_address(at) {
            return Some(Name { start: at, end: at + 2 * ADDRESS - 1, may_be_time: false });
        }
        if let Some(end) = self.telephone(at) {
            return Some(Name { start: at, end, may_be_time: false });
        }
        let end = self.end(at);
        // "5th floor"
        if end == at + 2 && BEHIND_ORDINALS.contains(&self.word(end)) {
            return Some(Name { start: at, end: end + 1, may_be_time: false });
        }
        if self.has_mark(end) {
            return None;
        }
        let (start, is_certain) = self.start(at, end)?;
        let is_number = end == at + 1;
        // "release 9.30 every day"
        let is_dotted = end == at + 3
            && self.text(at + 1) == "."
            && self.text(at + 2).len() == 2
            && self.is_number(at + 2);
        let may_be_time = (!is_certain && is_number || is_dotted) && may_be_time(self.text(at));
        Some(Name { start, end, may_be_time })
    }

    /// Returns the first token of the name to which the number at `at` belongs, and whether it
    /// never says when.
    fn start(&self, at: usize, end: usize) -> Option<(usize, bool)> {
        let before = at.checked_sub(1)?;
        if self.is_glued(at) && self.is_plain(before) {
            let is_short = self.word(before).len() < 3 || self.text(at).starts_with('0');
            return self.is_letter_before(before, end).then_some((before, is_short));
        }
        if let Some(word) = before.checked_sub(1)
            && self.text(before) == "-"
            && self.is_glued(at)
            && self.is_glued(before)
            && self.is_plain(word)
            && !COUNTED.contains(&self.word(word))
        {
            return Some((word, self.text(at).starts_with('0')));
        }
        self.noun(before)
    }

    /// Returns the place behind the number at `at` and everything next to it: `4.2-rc1`, `12b`.
    fn end(&self, at: usize) -> usize {
        let mut end = at + 1;
        loop {
            let is_piece =
                |at: usize| self.is_glued(at) && (self.is_number(at) || !self.word(at).is_empty());
            if is_piece(end) {
                end += 1;
            } else if matches!(self.text(end), "." | "-" | "_" | "/")
                && self.is_glued(end)
                && is_piece(end + 1)
            {
                end += 2;
            } else {
                return end;
            }
        }
    }

    fn is_address(&self, at: usize) -> bool {
        (1..ADDRESS).all(|part| {
            let dot = at + 2 * part - 1;
            self.text(dot) == "."
                && self.is_glued(dot)
                && self.is_glued(dot + 1)
                && self.is_number(dot + 1)
        })
    }

    /// Returns the end of a telephone number in groups: `0800 123456`, `02 123 456`.
    fn telephone(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while self.is_number(end) && (end == at || !self.is_glued(end)) {
            end += 1;
        }
        let groups = self.0.get(at..end)?;
        let digits: usize = groups.iter().map(|group| group.text.len()).sum();
        // Times such as "0800 1200 1600" have round minutes.
        let is_round = |digits: &str| digits.ends_with('0') || digits.ends_with('5');
        let is_no_time = groups.iter().any(|group| {
            !may_be_time(&group.text) || group.text.len() > 2 && !is_round(&group.text)
        });
        let is_marked = MARKS.contains(&self.word(end))
            || words::unit(self.word(end)).is_some()
            || matches!(self.text(end), ":" | "/") && self.is_glued(end);
        (groups.len() > 1 && digits >= TELEPHONE && is_no_time && !is_marked).then_some(end)
    }

    /// Returns whether this is a word that says nothing about time. A single letter may be one.
    fn is_plain(&self, at: usize) -> bool {
        let word = self.word(at);
        let is_unread = own_word(self.text(at)).is_some() || words::suspicion(word).is_none();
        word.len() == 1
            || !word.is_empty()
                && is_unread
                && words::abbreviation(word).is_none()
                && words::number(word).is_none()
                && !NEVER_NUMBERED.contains(&word)
    }

    /// Returns whether letters that are next to a number begin a name: "db2", "vitamin d3". "w47"
    /// may be a week, and "x2" a number of times.
    fn is_letter_before(&self, word: usize, end: usize) -> bool {
        let letters = self.word(word);
        if !COUNTED.contains(&letters) {
            return true;
        }
        let before = word.checked_sub(1).map_or("", |before| self.word(before));
        let is_in_storage = letters == "s" && matches!(before, "in" | "from" | "on" | "to");
        let is_noun = |at: usize| self.is_plain(at) && may_be_numbered(self.word(at));
        let is_named = word.checked_sub(1).is_some_and(is_noun) || is_noun(end);
        let is_period = BEFORE_PERIODS.contains(&before);
        matches!(letters, "a" | "d" | "m" | "p" | "q" | "s")
            && (is_in_storage || is_named && !is_period)
    }

    /// Returns the start of a noun before a number, and whether the number never says when: "room
    /// 204", "flight LH 1234", "no. 5".
    fn noun(&self, before: usize) -> Option<(usize, bool)> {
        let word = self.word(before);
        // "at 9am in zone 5" may name a time zone.
        let is_in_zone =
            word == "zone" && before.checked_sub(1).is_some_and(|at| self.word(at) == "in");
        if !is_in_zone && (NAMED.contains(&word) || NUMBERED.contains(&word)) {
            return Some((before, NAMED.contains(&word)));
        }
        let noun = before.checked_sub(1)?;
        if matches!(self.word(noun), "no" | "nr")
            && self.text(before) == "."
            && self.is_glued(before)
        {
            return Some((noun, true));
        }
        let is_noun = NAMED.contains(&self.word(noun)) || NUMBERED.contains(&self.word(noun));
        (word.len() <= 3 && self.is_plain(before) && is_noun).then_some((noun, false))
    }

    /// Returns whether the number that ends before `end` may say when, because of its last letters
    /// or of what follows.
    fn has_mark(&self, end: usize) -> bool {
        let last = end.saturating_sub(1);
        let next = self.word(end);
        let is_day = next == "of"
            && (words::month(self.word(end + 1)).is_some()
                || matches!(self.word(end + 1), "each" | "every")
                || words::unit(self.word(end + 2)).is_some());
        let is_list = JOINTS.contains(&self.text(end)) && self.is_number(end + 1);
        let is_glued = matches!(self.text(end), ":" | "/" | "+" | "*")
            && self.is_glued(end)
            && self.is_glued(end + 1);
        is_day
            || is_list
            || is_glued
            || self.is_number(end)
            || MARKS.contains(&self.word(last))
            || MARKS.contains(&next)
            || words::unit(next).is_some()
            || words::month(next).is_some()
            || words::weekday(next).is_some_and(|(_, is_plural)| is_plural)
            || words::day_part(next).is_some()
    }
}
