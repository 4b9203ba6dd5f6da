//! The terms of the grammar: the English words that say something about time. The grammar knows
//! only the words in these tables and in its own literals. Other languages are tables that lead to
//! these terms ([`crate::lexicon`]).

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayPart {
    Morning,
    Afternoon,
    Evening,
    Night,
}

type Table<T> = [(&'static str, T)];

fn look_up<T: Copy>(table: &Table<T>, word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// Days of the week from Monday, 0, in the singular, with usual abbreviations and typing errors.
#[rustfmt::skip]
const WEEKDAYS: &Table<u8> = &[
    ("monday", 0), ("tuesday", 1), ("wednesday", 2), ("thursday", 3), ("friday", 4), ("saturday", 5), ("sunday", 6),
    ("mon", 0), ("tue", 1), ("tues", 1), ("wed", 2), ("weds", 2), ("thu", 3), ("thur", 3), ("thurs", 3), ("fri", 4), ("sat", 5), ("sun", 6),
    ("moday", 0), ("munday", 0), ("monady", 0), ("mondya", 0), ("tusday", 1), ("teusday", 1), ("tuesay", 1), ("tueday", 1), ("wensday", 2), ("wendesday", 2), ("wednsday", 2),
    ("wednessday", 2), ("wedensday", 2), ("wedneday", 2), ("thrusday", 3), ("thursay", 3), ("thurday", 3), ("thirsday", 3), ("firday", 4), ("frday", 4), ("fridya", 4), ("friady", 4), ("saterday", 5),
    ("satuday", 5), ("saturdy", 5), ("satruday", 5), ("sundya", 6), ("suday", 6),
];

/// Returns a day of the week, and whether the word is a plural ("mondays").
pub(crate) fn weekday(word: &str) -> Option<(u8, bool)> {
    let whole = look_up(WEEKDAYS, word).map(|day| (day, false));
    whole.or_else(|| {
        look_up(WEEKDAYS, word.strip_suffix("'s").or_else(|| word.strip_suffix('s'))?)
            .map(|day| (day, true))
    })
}

#[rustfmt::skip]
const MONTHS: &Table<u8> = &[
    ("january", 1), ("february", 2), ("march", 3), ("april", 4), ("may", 5), ("june", 6), ("july", 7), ("august", 8), ("september", 9),
    ("october", 10), ("november", 11), ("december", 12),
    ("jan", 1), ("feb", 2), ("mar", 3), ("apr", 4), ("jun", 6), ("jul", 7), ("aug", 8), ("sep", 9), ("sept", 9), ("oct", 10), ("nov", 11), ("dec", 12),
    ("januray", 1), ("janurary", 1), ("febuary", 2), ("feburary", 2), ("arpil", 4), ("agust", 8), ("augest", 8), ("setpember", 9), ("septmber", 9), ("ocotber", 10), ("novemeber", 11), ("decemeber", 12), ("decmber", 12),
];

/// Returns a month, from 1.
pub(crate) fn month(word: &str) -> Option<u8> {
    look_up(MONTHS, word)
}

#[rustfmt::skip]
const UNITS: &Table<Unit> = &[
    ("second", Unit::Second), ("seconds", Unit::Second), ("sec", Unit::Second), ("secs", Unit::Second), ("s", Unit::Second),
    ("minute", Unit::Minute), ("minutes", Unit::Minute), ("min", Unit::Minute), ("mins", Unit::Minute), ("minuts", Unit::Minute), ("minuets", Unit::Minute), ("mintues", Unit::Minute),
    ("hour", Unit::Hour), ("hours", Unit::Hour), ("hr", Unit::Hour), ("hrs", Unit::Hour), ("h", Unit::Hour), ("horus", Unit::Hour),
    ("day", Unit::Day), ("days", Unit::Day), ("week", Unit::Week), ("weeks", Unit::Week), ("wk", Unit::Week), ("wks", Unit::Week),
    ("month", Unit::Month), ("months", Unit::Month), ("mth", Unit::Month), ("mths", Unit::Month), ("quarter", Unit::Quarter), ("quarters", Unit::Quarter),
    ("year", Unit::Year), ("years", Unit::Year), ("yr", Unit::Year), ("yrs", Unit::Year),
];

/// Returns a unit. `m` is not one: it may be a minute or a month.
pub(crate) fn unit(word: &str) -> Option<Unit> {
    look_up(UNITS, word)
}

/// Adverbs and adjectives for a cycle, as a number of units.
#[rustfmt::skip]
const CYCLES: &Table<(u32, Unit)> = &[
    ("hourly", (1, Unit::Hour)), ("nightly", (1, Unit::Day)), ("daily", (1, Unit::Day)), ("everyday", (1, Unit::Day)), ("weekly", (1, Unit::Week)), ("fortnightly", (2, Unit::Week)),
    ("monthly", (1, Unit::Month)), ("quarterly", (1, Unit::Quarter)), ("yearly", (1, Unit::Year)), ("annually", (1, Unit::Year)), ("annual", (1, Unit::Year)),
    ("dayly", (1, Unit::Day)), ("dialy", (1, Unit::Day)), ("weeekly", (1, Unit::Week)), ("montly", (1, Unit::Month)), ("anually", (1, Unit::Year)), ("minutely", (1, Unit::Minute)),
];

/// Returns the cycle of an adverb or adjective.
pub(crate) fn cycle(word: &str) -> Option<(u32, Unit)> {
    look_up(CYCLES, word)
}

#[rustfmt::skip]
const NUMBERS: &Table<u32> = &[
    ("zero", 0), ("one", 1), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("six", 6), ("seven", 7), ("eight", 8), ("nine", 9), ("ten", 10), ("eleven", 11),
    ("twelve", 12), ("thirteen", 13), ("fourteen", 14), ("fifteen", 15), ("sixteen", 16), ("seventeen", 17), ("eighteen", 18), ("nineteen", 19),
    ("twenty", 20), ("thirty", 30), ("forty", 40), ("fourty", 40), ("fifty", 50), ("sixty", 60), ("seventy", 70), ("eighty", 80), ("ninety", 90),
];

/// Returns a number below a hundred that is one word.
pub(crate) fn number(word: &str) -> Option<u32> {
    look_up(NUMBERS, word)
}

#[rustfmt::skip]
const ORDINALS: &Table<u32> = &[
    ("first", 1), ("second", 2), ("third", 3), ("fourth", 4), ("fifth", 5), ("sixth", 6), ("seventh", 7), ("eighth", 8), ("ninth", 9), ("tenth", 10),
    ("eleventh", 11), ("twelfth", 12), ("thirteenth", 13), ("fourteenth", 14), ("fifteenth", 15), ("sixteenth", 16), ("seventeenth", 17),
    ("eighteenth", 18), ("nineteenth", 19), ("twentieth", 20), ("thirtieth", 30),
];

/// Returns an ordinal that is one word.
pub(crate) fn ordinal(word: &str) -> Option<u32> {
    look_up(ORDINALS, word)
}

#[rustfmt::skip]
const DAY_PARTS: &Table<DayPart> = &[
    ("morning", DayPart::Morning), ("mornings", DayPart::Morning), ("afternoon", DayPart::Afternoon), ("afternoons", DayPart::Afternoon), ("arvo", DayPart::Afternoon),
    ("evening", DayPart::Evening), ("evenings", DayPart::Evening), ("night", DayPart::Night), ("nights", DayPart::Night),
];

/// Returns a part of the day.
pub(crate) fn day_part(word: &str) -> Option<DayPart> {
    look_up(DAY_PARTS, word)
}

/// Days with a name and a fixed date: month and day.
#[rustfmt::skip]
const FIXED_DAYS: &Table<(u8, u8)> = &[
    ("christmas day", (12, 25)), ("christmas eve", (12, 24)), ("christmas", (12, 25)), ("xmas", (12, 25)), ("boxing day", (12, 26)), ("new year's eve", (12, 31)),
    ("new years eve", (12, 31)), ("new year's day", (1, 1)), ("new years day", (1, 1)), ("halloween", (10, 31)), ("valentine's day", (2, 14)), ("valentines day", (2, 14)),
];

/// Returns the named days, longer names first.
pub(crate) fn fixed_days() -> impl Iterator<Item = (&'static str, (u8, u8))> {
    FIXED_DAYS.iter().copied()
}

/// The IANA zones that an abbreviation may mean. If there are several, the user is asked, unless
/// they agree on every run.
#[rustfmt::skip]
const ABBREVIATIONS: &Table<&[&str]> = &[
    ("est", &["America/New_York", "Etc/GMT+5"]), ("edt", &["America/New_York", "Etc/GMT+4"]),
    ("cst", &["America/Chicago", "Etc/GMT+6", "Asia/Shanghai"]), ("cdt", &["America/Chicago", "Etc/GMT+5"]),
    ("mst", &["America/Denver", "America/Phoenix"]), ("mdt", &["America/Denver", "Etc/GMT+6"]),
    ("pst", &["America/Los_Angeles", "Etc/GMT+8"]), ("pdt", &["America/Los_Angeles", "Etc/GMT+7"]),
    ("cet", &["Europe/Berlin", "Etc/GMT-1"]), ("cest", &["Europe/Berlin", "Etc/GMT-2"]), ("eet", &["Europe/Helsinki", "Etc/GMT-2"]),
    ("bst", &["Europe/London", "Etc/GMT-1", "Asia/Dhaka"]), ("ist", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("jst", &["Asia/Tokyo"]), ("kst", &["Asia/Seoul"]), ("sgt", &["Asia/Singapore"]), ("aest", &["Australia/Brisbane", "Australia/Sydney"]),
    ("utc", &["UTC"]), ("gmt", &["UTC"]), ("et", &["America/New_York"]), ("ct", &["America/Chicago"]), ("mt", &["America/Denver"]), ("pt", &["America/Los_Angeles"]),
];

/// Returns the zones that an abbreviation may mean.
pub(crate) fn abbreviation(word: &str) -> Option<&'static [&'static str]> {
    look_up(ABBREVIATIONS, word)
}

/// Regions whose time has a name: "pacific time".
#[rustfmt::skip]
const REGIONS: &Table<&str> = &[
    ("pacific", "America/Los_Angeles"), ("mountain", "America/Denver"), ("eastern", "America/New_York"), ("central european", "Europe/Berlin"),
    ("uk", "Europe/London"), ("british", "Europe/London"), ("german", "Europe/Berlin"), ("french", "Europe/Paris"), ("japan", "Asia/Tokyo"), ("india", "Asia/Kolkata"),
    ("us eastern", "America/New_York"), ("us pacific", "America/Los_Angeles"), ("us central", "America/Chicago"), ("us mountain", "America/Denver"), ("nyc", "America/New_York"), ("san francisco", "America/Los_Angeles"),
];

/// Returns the zone of a region.
pub(crate) fn region(words: &str) -> Option<&'static str> {
    look_up(REGIONS, words)
}

/// Words about time that belong to no part of the grammar. A phrase in which one is left over is
/// refused, because it may change the schedule.
#[rustfmt::skip]
const ABOUT_TIME: &[&str] = &[
    "every", "each", "evry", "everytime", "ever", "until", "till", "til", "except", "excluding", "besides", "unless", "if", "when", "whenever", "while", "before", "after", "during",
    "since", "ago", "yesterday", "today", "tonight", "tomorrow", "tmrw", "tmr", "overmorrow", "next", "last", "previous", "past", "upcoming", "coming", "other", "alternate", "alternating", "alternately", "second", "seconds", "penultimate",
    "sometimes", "occasionally", "often", "frequently", "regularly", "periodically", "constantly", "continuously", "always", "never", "rarely", "seldom", "usually", "soon", "later", "eventually", "asap",
    "now", "immediately", "instantly", "randomly", "random", "approximately", "approx", "roughly", "nearly", "almost", "circa", "maybe", "perhaps", "probably", "or", "either", "noon", "midday", "midnight", "morning", "mornings", "afternoon", "afternoons",
    "evening", "evenings", "night", "nights", "nightly", "lunchtime", "sunrise", "sunset", "dawn", "dusk", "moon", "solstice", "equinox", "holiday", "holidays", "easter", "thanksgiving", "christmas", "xmas",
    "ramadan", "diwali", "hanukkah", "advent", "lent", "passover", "eid", "whitsun", "pentecost", "midsummer", "midwinter", "hols", "halloween", "spring", "summer", "autumn", "winter", "payday", "birthday", "birthdays", "anniversary", "biweekly", "semiweekly", "semimonthly", "bimonthly", "biannually", "biannual", "biennial", "biennially", "semiannually", "bihourly",
    "triweekly", "fortnight", "fortnights", "decade", "century", "once", "twice", "thrice", "times", "half", "start", "starting", "begin", "beginning", "starts", "begins", "effective", "ending", "ends", "weekend", "weekends", "weekday", "weekdays", "workday", "workdays",
    "o'clock", "oclock", "am", "pm", "a.m", "p.m", "between", "from", "within", "throughout", "through", "thru", "weekly", "daily", "monthly", "yearly", "hourly", "annually", "quarterly", "couple", "several", "few", "per",
    "consecutive", "successive", "odd", "even", "timezone", "dst", "noonish", "late", "soonest", "deadline", "not", "don't", "dont", "doesn't", "no", "without", "skip", "skipping", "instead", "but", "only", "cron", "rrule", "timestamp",
    "respectively", "least", "halb", "dreiviertel", "uhr", "bis", "vor", "overnext", "antepenultimate", "minimum", "quarter", "quarters", "semester", "trimester", "season", "dinnertime", "bedtime", "teatime", "hundred", "thousand", "million", "zero",
];

/// Words about time in languages that are not supported. A phrase with one of them is refused.
#[rustfmt::skip]
const FOREIGN: &[&str] = &[
    "tous", "toutes", "chaque", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "demain", "aujourd'hui", "heures", "heure", "jours", "semaine", "mois", "matin", "soir", "midi", "minuit",
    "cada", "todos", "lunes", "martes", "miércoles", "miercoles", "jueves", "viernes", "sábado", "sabado", "domingo", "mañana", "manana", "hoy", "horas", "semanas", "días", "dias", "noche", "tarde", "semana", "mes",
    "ogni", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica", "domani", "oggi", "ore", "segunda", "terça", "quarta", "quinta", "sexta", "amanhã", "elke", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag",
    "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag", "mandag", "tirsdag", "lørdag", "søndag", "poniedziałek", "wtorek", "środa", "środę", "czwartek", "piątek", "sobota", "sobotę", "niedziela", "niedzielę",
    "pondělí", "úterý", "středa", "čtvrtek", "pátek", "neděle", "maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai", "sunnuntai", "pazartesi", "salı", "çarşamba", "perşembe", "cuma", "cumartesi",
    "jutro", "imorgon", "imorgen", "morgenochtend", "zítra", "yarın",
];

/// German words in an otherwise English sentence.
#[rustfmt::skip]
const GERMAN: &[&str] = &[
    "jeden", "jede", "jedes", "täglich", "wöchentlich", "monatlich", "jährlich", "stündlich", "montag", "montags", "dienstag", "dienstags", "mittwoch", "mittwochs", "donnerstag", "donnerstags", "freitag", "freitags", "samstag", "samstags", "sonntag", "sonntags",
    "morgen", "heute", "übermorgen", "uhr", "alle", "stunde", "stunden", "minuten", "tage", "woche", "wochen", "monat", "mittag", "mitternacht", "werktags", "bis", "außer",
];

/// Why a remaining word is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suspicion {
    AboutTime,
    Foreign,
    Misspelt(&'static str),
}

/// Endings of words that say when, such as "weeknights", "someday" and "midweek". No table lists
/// all of these words.
#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    "night", "nights", "day", "days", "week", "weeks", "month", "months", "year", "years", "hour",
    "hours", "time", "times",
];

/// Words with such an ending that say nothing about time.
#[rustfmt::skip]
const NO_TIMES: &[&str] = &[
    "knight",
    "knights",
    "overnight",
    "goodnight",
    "glamour",
    "detour",
    "velour",
    "overtime",
    "lifetime",
    "runtime",
    "uptime",
    "downtime",
    "realtime",
    "sometime",
    "sometimes",
];

/// Returns whether a word ends like one that says when.
fn ends_like_time(word: &str) -> bool {
    let is_longer = |ending: &&&str| word.len() > ending.len() && word.ends_with(**ending);
    ENDINGS.iter().any(|ending| is_longer(&ending)) && !NO_TIMES.contains(&word)
}

/// German days and parts of a day. No table lists all of their compounds, such as "werktagsabends".
#[rustfmt::skip]
const GERMAN_DAYS: &[&str] = &[
    "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag", "sonnabend", "werktag",
    "wochentag", "arbeitstag", "wochenend", "wochenende", "feiertag",
];
#[rustfmt::skip]
const GERMAN_PARTS: &[&str] = &[
    "mittags", "mittag", "abends", "abend", "morgens", "morgen", "nachts", "nacht", "fruehs", "frueh", "früh",
    "vormittags", "vormittag", "nachmittags", "nachmittag",
];

/// Returns whether a word is a German day with a part of the day.
pub(crate) fn is_german_time(word: &str) -> bool {
    let is_day = |day: &str| {
        let day = day.strip_suffix('s').unwrap_or(day);
        GERMAN_DAYS.contains(&day)
    };
    GERMAN_PARTS.iter().filter_map(|part| word.strip_suffix(part)).any(is_day)
}

/// German words with the ending of a time zone that are none.
const NO_ZONES: &[&str] = &[
    "arbeitszeit",
    "auszeit",
    "brotzeit",
    "elternzeit",
    "freizeit",
    "hochzeit",
    "mahlzeit",
    "spielzeit",
    "teilzeit",
    "vollzeit",
    "wartezeit",
];

/// Returns whether a word may be a German time zone, such as "sommerzeit".
pub(crate) fn is_kind_of_time(word: &str) -> bool {
    word.len() > 4 && word.ends_with("zeit") && !NO_ZONES.contains(&word)
}

/// Returns whether a remaining word may say something about time.
pub(crate) fn suspicion(word: &str) -> Option<Suspicion> {
    if is_about_time(word) || ends_like_time(word) {
        return Some(Suspicion::AboutTime);
    }
    if GERMAN.contains(&word) || is_foreign(word) {
        return Some(Suspicion::Foreign);
    }
    None
}

/// Returns whether a word is an English word about time.
pub(crate) fn is_about_time(word: &str) -> bool {
    weekday(word).is_some()
        || month(word).is_some()
        || unit(word).is_some()
        || ordinal(word).is_some()
        || ABOUT_TIME.contains(&word)
}

/// Returns whether a word belongs to a language that is not supported.
pub(crate) fn is_foreign(word: &str) -> bool {
    let is_latin = |c: char| (c as u32) < 0x250;
    FOREIGN.contains(&word)
        || !word.is_ascii() && word.chars().any(|c| c.is_alphabetic() && !is_latin(c))
}

/// Returns whether `word` is `known` with one letter added, left out, changed, or swapped with its
/// neighbor.
pub(crate) fn is_misspelt(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    if word == known || word.len().abs_diff(known.len()) > 1 || word.len() < 4 {
        return false;
    }
    let same = word.iter().zip(known).take_while(|(a, b)| a == b).count();
    let (w, k) = (|skip| word.get(same + skip..), |skip| known.get(same + skip..));
    let is_swapped = word.get(same).is_some()
        && word.get(same) == known.get(same + 1)
        && word.get(same + 1) == known.get(same)
        && w(2) == k(2);
    is_swapped
        || w(1).is_some() && w(1) == k(1)
        || w(1).is_some() && w(1) == k(0)
        || k(1).is_some() && w(0) == k(1)
}
