//! The terms of the grammar: the English words that say something about time. The grammar knows
//! only the words in these tables and in its own literals. Other languages are tables that lead to
//! these terms ([`crate::lexicon`]).

use crate::letters::{Table, table, words};

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
    /// Around noon: "mittags um eins".
    Midday,
    Afternoon,
    Evening,
    Night,
}

type Values<T> = Table<(&'static str, T)>;

/// Days of the week from Monday, 0, in the singular, with usual abbreviations and typing errors.
#[rustfmt::skip]
static WEEKDAYS: Values<u8> = table(&[
    ("friday", 4), ("fri", 4), ("firday", 4), ("frday", 4), ("fridya", 4), ("friady", 4), ("monday", 0), ("mon", 0), ("moday", 0), ("munday", 0), ("monady", 0),
    ("mondya", 0), ("saturday", 5), ("sunday", 6), ("sat", 5), ("sun", 6), ("saterday", 5), ("satuday", 5), ("saturdy", 5), ("satruday", 5), ("sundya", 6), ("suday", 6),
    ("tuesday", 1), ("thursday", 3), ("tue", 1), ("tues", 1), ("thu", 3), ("thur", 3), ("thurs", 3), ("tusday", 1), ("teusday", 1), ("tuesay", 1), ("tueday", 1),
    ("thrusday", 3), ("thursay", 3), ("thurday", 3), ("thirsday", 3), ("wednesday", 2), ("wed", 2), ("weds", 2), ("wensday", 2), ("wendesday", 2), ("wednsday", 2),
    ("wednessday", 2), ("wedensday", 2), ("wedneday", 2),
]);

/// Returns a day of the week, and whether the word is a plural ("mondays").
pub(crate) fn weekday(word: &str) -> Option<(u8, bool)> {
    let whole = WEEKDAYS.get(word).map(|day| (day, false));
    whole.or_else(|| {
        WEEKDAYS
            .get(word.strip_suffix("'s").or_else(|| word.strip_suffix('s'))?)
            .map(|day| (day, true))
    })
}

#[rustfmt::skip]
static MONTHS: Values<u8> = table(&[
    ("april", 4), ("august", 8), ("apr", 4), ("aug", 8), ("arpil", 4), ("agust", 8), ("augest", 8), ("december", 12), ("dec", 12), ("decemeber", 12), ("decmber", 12),
    ("february", 2), ("feb", 2), ("febuary", 2), ("feburary", 2), ("january", 1), ("june", 6), ("july", 7), ("jan", 1), ("jun", 6), ("jul", 7), ("januray", 1),
    ("janurary", 1), ("march", 3), ("may", 5), ("mar", 3), ("november", 11), ("nov", 11), ("novemeber", 11), ("october", 10), ("oct", 10), ("ocotber", 10),
    ("september", 9), ("sep", 9), ("sept", 9), ("setpember", 9), ("septmber", 9),
]);

/// Returns a month, from 1.
pub(crate) fn month(word: &str) -> Option<u8> {
    MONTHS.get(word)
}

#[rustfmt::skip]
static UNITS: Values<Unit> = table(&[
    ("day", Unit::Day), ("days", Unit::Day), ("hour", Unit::Hour), ("hours", Unit::Hour), ("hr", Unit::Hour), ("hrs", Unit::Hour), ("h", Unit::Hour),
    ("horus", Unit::Hour), ("minute", Unit::Minute), ("minutes", Unit::Minute), ("min", Unit::Minute), ("mins", Unit::Minute), ("minuts", Unit::Minute),
    ("minuets", Unit::Minute), ("mintues", Unit::Minute), ("month", Unit::Month), ("months", Unit::Month), ("mth", Unit::Month), ("mths", Unit::Month),
    ("quarter", Unit::Quarter), ("quarters", Unit::Quarter), ("second", Unit::Second), ("seconds", Unit::Second), ("sec", Unit::Second), ("secs", Unit::Second),
    ("s", Unit::Second), ("week", Unit::Week), ("weeks", Unit::Week), ("wk", Unit::Week), ("wks", Unit::Week), ("year", Unit::Year), ("years", Unit::Year),
    ("yr", Unit::Year), ("yrs", Unit::Year),
]);

/// Returns a unit. `m` is not one: it may be a minute or a month.
pub(crate) fn unit(word: &str) -> Option<Unit> {
    UNITS.get(word)
}

/// Adverbs and adjectives for a cycle, as a number of units.
#[rustfmt::skip]
static CYCLES: Values<(u32, Unit)> = table(&[
    ("annually", (1, Unit::Year)), ("annual", (1, Unit::Year)), ("anually", (1, Unit::Year)), ("daily", (1, Unit::Day)), ("dayly", (1, Unit::Day)),
    ("dialy", (1, Unit::Day)), ("everyday", (1, Unit::Day)), ("fortnightly", (2, Unit::Week)), ("hourly", (1, Unit::Hour)), ("monthly", (1, Unit::Month)),
    ("montly", (1, Unit::Month)), ("minutely", (1, Unit::Minute)), ("nightly", (1, Unit::Day)), ("quarterly", (1, Unit::Quarter)), ("weekly", (1, Unit::Week)),
    ("weeekly", (1, Unit::Week)), ("yearly", (1, Unit::Year)),
]);

/// Returns the cycle of an adverb or adjective.
pub(crate) fn cycle(word: &str) -> Option<(u32, Unit)> {
    CYCLES.get(word)
}

#[rustfmt::skip]
static NUMBERS: Values<u32> = table(&[
    ("eight", 8), ("eleven", 11), ("eighteen", 18), ("eighty", 80), ("four", 4), ("five", 5), ("fourteen", 14), ("fifteen", 15), ("forty", 40), ("fourty", 40),
    ("fifty", 50), ("nine", 9), ("nineteen", 19), ("ninety", 90), ("one", 1), ("six", 6), ("seven", 7), ("sixteen", 16), ("seventeen", 17), ("sixty", 60),
    ("seventy", 70), ("two", 2), ("three", 3), ("ten", 10), ("twelve", 12), ("thirteen", 13), ("twenty", 20), ("thirty", 30), ("zero", 0),
]);

/// Returns a number below a hundred that is one word.
pub(crate) fn number(word: &str) -> Option<u32> {
    NUMBERS.get(word)
}

#[rustfmt::skip]
static ORDINALS: Values<u32> = table(&[
    ("eighth", 8), ("eleventh", 11), ("eighteenth", 18), ("first", 1), ("fourth", 4), ("fifth", 5), ("fourteenth", 14), ("fifteenth", 15), ("ninth", 9),
    ("nineteenth", 19), ("second", 2), ("sixth", 6), ("seventh", 7), ("sixteenth", 16), ("seventeenth", 17), ("third", 3), ("tenth", 10), ("twelfth", 12),
    ("thirteenth", 13), ("twentieth", 20), ("thirtieth", 30),
]);

/// Returns an ordinal that is one word.
pub(crate) fn ordinal(word: &str) -> Option<u32> {
    ORDINALS.get(word)
}

#[rustfmt::skip]
static DAY_PARTS: Values<DayPart> = table(&[
    ("afternoon", DayPart::Afternoon), ("afternoons", DayPart::Afternoon), ("arvo", DayPart::Afternoon), ("evening", DayPart::Evening), ("evenings", DayPart::Evening),
    ("morning", DayPart::Morning), ("mornings", DayPart::Morning), ("night", DayPart::Night), ("nights", DayPart::Night),
    ("noontide", DayPart::Midday), ("noontides", DayPart::Midday),
]);

/// Returns a part of the day.
pub(crate) fn day_part(word: &str) -> Option<DayPart> {
    DAY_PARTS.get(word)
}

/// Days with a name and a fixed date: month and day.
#[rustfmt::skip]
const FIXED_DAYS: &[(&str, (u8, u8))] = &[
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
static ABBREVIATIONS: Values<&[&str]> = table(&[
    ("aest", &["Australia/Brisbane", "Australia/Sydney"]), ("bst", &["Europe/London", "Etc/GMT-1", "Asia/Dhaka"]),
    ("cst", &["America/Chicago", "Etc/GMT+6", "Asia/Shanghai"]), ("cdt", &["America/Chicago", "Etc/GMT+5"]), ("cet", &["Europe/Berlin", "Etc/GMT-1"]),
    ("cest", &["Europe/Berlin", "Etc/GMT-2"]), ("ct", &["America/Chicago"]), ("est", &["America/New_York", "Etc/GMT+5"]), ("edt", &["America/New_York", "Etc/GMT+4"]),
    ("eet", &["Europe/Helsinki", "Etc/GMT-2"]), ("et", &["America/New_York"]), ("gmt", &["UTC"]), ("ist", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("jst", &["Asia/Tokyo"]), ("kst", &["Asia/Seoul"]), ("mst", &["America/Denver", "America/Phoenix"]), ("mdt", &["America/Denver", "Etc/GMT+6"]),
    ("mt", &["America/Denver"]), ("pst", &["America/Los_Angeles", "Etc/GMT+8"]), ("pdt", &["America/Los_Angeles", "Etc/GMT+7"]), ("pt", &["America/Los_Angeles"]),
    ("sgt", &["Asia/Singapore"]), ("utc", &["UTC"]),
]);

/// Returns the zones that an abbreviation may mean.
pub(crate) fn abbreviation(word: &str) -> Option<&'static [&'static str]> {
    ABBREVIATIONS.get(word)
}

/// Regions whose time has a name: "pacific time".
#[rustfmt::skip]
static REGIONS: Values<&str> = table(&[
    ("british", "Europe/London"), ("central european", "Europe/Berlin"), ("eastern", "America/New_York"), ("french", "Europe/Paris"), ("german", "Europe/Berlin"),
    ("india", "Asia/Kolkata"), ("japan", "Asia/Tokyo"), ("mountain", "America/Denver"), ("nyc", "America/New_York"), ("pacific", "America/Los_Angeles"),
    ("san francisco", "America/Los_Angeles"), ("uk", "Europe/London"), ("us eastern", "America/New_York"), ("us pacific", "America/Los_Angeles"),
    ("us central", "America/Chicago"), ("us mountain", "America/Denver"),
]);

/// Returns the zone of a region.
pub(crate) fn region(words: &str) -> Option<&'static str> {
    REGIONS.get(words)
}

/// Cities of time zones whose names are ordinary words or names of people. A sentence names such a
/// zone only in full: `Indian/Christmas`.
#[rustfmt::skip]
const ORDINARY_CITIES: &[&str] = &[
    "acre", "casey", "center", "christmas", "davis", "easter", "general", "knox", "palmer", "regina", "resolute", "reunion", "troll", "turkey", "wake",
];

/// Returns whether the name of a city is also an ordinary word.
pub(crate) fn is_ordinary_city(word: &str) -> bool {
    ORDINARY_CITIES.contains(&word)
}

/// Places without a time zone of this name. Those that are also names of people or things are not
/// here.
#[rustfmt::skip]
const PLACES: &[&str] = &[
    "america", "arizona", "atlanta", "australia", "austria", "bangalore", "barcelona", "beijing", "bengaluru", "boston", "brazil", "britain", "california", "canada", "cape town",
    "china", "cologne", "dallas", "delhi", "england", "finland", "florida", "france", "frankfurt", "geneva", "germany", "greece", "hamburg", "houston", "hyderabad", "indonesia",
    "ireland", "italy", "kyoto", "las vegas", "malaysia", "mexico", "miami", "milan", "montreal", "mumbai", "munich", "netherlands", "new delhi", "new zealand", "norway", "osaka",
    "philadelphia", "poland", "portugal", "russia", "san diego", "scotland", "seattle", "shenzhen", "south africa", "spain", "sweden", "switzerland", "tel aviv", "texas", "thailand",
    "ukraine", "usa", "vietnam", "east coast", "west coast", "philippines", "united kingdom", "united states",
    "algier", "amerika", "athen", "australien", "bagdad", "belgrad", "brasilien", "brüssel", "bukarest", "deutschland", "düsseldorf", "frankreich", "genf", "griechenland", "hongkong",
    "indien", "indonesien", "irland", "italien", "kairo", "kalifornien", "kalkutta", "kanada", "kapstadt", "kiew", "koeln", "kopenhagen", "köln", "lissabon", "mailand", "mexiko",
    "mexiko stadt", "moskau", "muenchen", "münchen", "neapel", "neu delhi", "neuseeland", "norwegen", "peking", "polen", "prag", "rom", "russland", "schanghai", "schweden",
    "emirate", "emiraten", "hawaii", "bali", "mallorca", "niederlanden", "niederlande", "ostküste", "philippinen", "westküste", "schweiz", "singapur", "spanien", "stuttgart", "südafrika", "teheran", "tokio", "türkei", "warschau", "wien", "zuerich", "zürich", "österreich",
];

/// Returns whether these words are the name of a place that may be meant as a time zone.
pub(crate) fn is_place(words: &str) -> bool {
    PLACES.contains(&words)
}

/// Words about time that belong to no part of the grammar. A phrase in which one is left over is
/// refused, because it may change the schedule.
#[rustfmt::skip]
static ABOUT_TIME: Table<&'static str> = words(&[
    "after", "ago", "alternate", "alternating", "alternately", "always", "asap", "approximately", "approx", "almost", "afternoon", "afternoons", "advent", "autumn",
    "anniversary", "am", "a.m", "annually", "antepenultimate", "besides", "before", "birthday", "birthdays", "biweekly", "bimonthly", "biannually", "biannual",
    "biennial", "biennially", "bihourly", "begin", "beginning", "begins", "between", "but", "bis", "bedtime", "coming", "constantly", "continuously", "circa",
    "christmas", "century", "couple", "consecutive", "cron", "during", "dawn", "darkness", "daybreak", "daylight", "dusk", "diwali", "decade", "daily", "dst", "deadline", "don't", "dont", "doesn't",
    "dreiviertel", "dinnertime", "every", "each", "evry", "everytime", "ever", "except", "excluding", "eventually", "either", "evening", "evenings", "equinox", "easter",
    "eid", "eow", "effective", "ending", "ends", "even", "frequently", "fortnight", "fortnights", "from", "few", "holiday", "holidays", "hanukkah", "hols", "halloween", "half",
    "hourly", "halb", "hundred", "if", "immediately", "instantly", "instead", "last", "later", "lunchtime", "lent", "late", "least", "maybe", "midday", "midnight",
    "morning", "mornings", "moon", "midsummer", "midwinter", "monthly", "minimum", "million", "next", "never", "now", "nearly", "noon", "night", "nights", "nightly",
    "noonish", "not", "no", "overmorrow", "other", "occasionally", "often", "or", "once", "o'clock", "oclock", "odd", "only", "overnext", "previous", "past",
    "penultimate", "periodically", "perhaps", "probably", "passover", "pentecost", "payday", "pm", "p.m", "per", "quarterly", "quarter", "quarters", "regularly",
    "rarely", "randomly", "random", "roughly", "ramadan", "rrule", "respectively", "since", "second", "seconds", "sometimes", "seldom", "soon", "sundown", "sunrise", "sunset", "sunup",
    "solstice", "spring", "summer", "semiweekly", "semimonthly", "semiannually", "start", "starting", "starts", "several", "successive", "soonest", "skip", "skipping",
    "semester", "season", "till", "til", "today", "tonight", "tomorrow", "tmrw", "tmr", "thanksgiving", "triweekly", "twice", "thrice", "times", "throughout", "through",
    "thru", "timezone", "timestamp", "trimester", "teatime", "twilight", "thousand", "until", "unless", "upcoming", "usually", "uhr", "vor", "when", "whenever", "while", "whitsun",
    "winter", "weekend", "weekends", "weekday", "weekdays", "workday", "workdays", "within", "weekly", "without", "xmas", "yesterday", "yearly", "zero",
]);

/// Words about time in languages that are not supported. A phrase with one of them is refused.
#[rustfmt::skip]
static FOREIGN: Table<&'static str> = words(&[
    "aujourd'hui", "amanhã", "codziennie", "chaque", "cada", "czwartek", "cuma", "cumartesi", "daglig", "dagligen", "dagligt", "dagelijks", "denně", "diaria", "diariamente",
    "diario", "diário", "dimanche", "demain", "domingo", "días", "dias", "domenica", "domani", "dinsdag", "donderdag", "elke", "fredag", "giorno", "gün", "giovedì", "hebdomadaire",
    "hver", "heures", "heure", "hoy", "horas", "imorgon", "imorgen", "jeudi", "jours", "jueves", "jutro", "kazdy", "każdy", "keskiviikko", "lundi", "lunes", "lunedì", "lördag",
    "lørdag", "lauantai", "maandelijks", "mensual", "mensuel", "mensuelle", "mardi", "mercredi", "mois", "matin", "midi", "minuit", "martes", "miércoles", "miercoles", "mañana",
    "manana", "mes", "martedì", "mercoledì", "maandag", "måndag", "mandag", "maanantai", "morgenochtend", "noche", "niedziela", "niedzielę", "neděle", "ogni", "oggi", "ore",
    "onsdag", "päivittäin", "poniedziałek", "piątek", "pondělí", "pátek", "perjantai", "pazartesi", "perşembe", "quotidien", "quotidienne", "quotidiennement", "quarta", "quinta",
    "semanal", "semanalmente", "settimanale", "samedi", "semaine", "soir", "sábado", "sabado", "semanas", "semana", "sabato", "segunda", "sexta", "söndag", "søndag", "sobota",
    "sobotę", "středa", "sunnuntai", "salı", "tous", "toutes", "todos", "tarde", "terça", "tisdag", "torsdag", "tirsdag", "tiistai", "torstai", "varje", "vendredi", "viernes",
    "venerdì", "vrijdag", "wekelijks", "woensdag", "wtorek", "yarın", "zaterdag", "zondag", "zítra", "çarşamba", "úterý", "čtvrtek", "środa", "środę",
]);

/// German words in an otherwise English sentence.
#[rustfmt::skip]
static GERMAN: Table<&'static str> = words(&[
    "alle", "außer", "bis", "dienstag", "dienstags", "donnerstag", "donnerstags", "freitag", "freitags", "heute", "jeden", "jede", "jedes", "jährlich", "monatlich",
    "montag", "montags", "mittwoch", "mittwochs", "morgen", "minuten", "monat", "mittag", "mitternacht", "stündlich", "samstag", "samstags", "sonntag", "sonntags",
    "stunde", "stunden", "täglich", "tage", "uhr", "wöchentlich", "woche", "wochen", "werktags", "übermorgen",
]);

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

/// German words with the ending "tag" that are no days.
const NO_DAYS: &[&str] = &["alltag", "bundestag", "hashtag", "landtag"];

/// Returns whether a word is a German day with a name, such as "rosenmontag" and "geburtstag", or
/// has the name of a day in it.
pub(crate) fn is_named_day(word: &str) -> bool {
    word.len() > 4
        && (word.ends_with("tag") && !NO_DAYS.contains(&word)
            || GERMAN_DAYS.iter().any(|day| word.contains(day)))
}

/// German periods and their parts. A table lists only those of the usual compounds that the grammar
/// understands, such as "monatsende".
#[rustfmt::skip]
const GERMAN_PERIODS: &[&str] = &[
    "tages", "wochen", "monats", "quartals", "halbjahr", "halbjahres", "jahres", "schuljahr", "schuljahres", "semester", "saison", "ferien",
    "fruehlings", "frühlings", "sommer", "herbst", "winter",
    "geschaeftsjahres", "geschäftsjahres",
];
#[rustfmt::skip]
const PARTS_OF_PERIODS: &[&str] = &[
    "anbruch", "anfang", "anfangs", "auftakt", "ausgang", "ausklang", "beginn", "ende", "erste", "ersten", "erster", "haelfte", "hälfte", "letzte", "letzten", "letzter", "mitte", "schluss",
    "start", "ultimo", "wechsel", "wende",
];

/// German periods that the grammar does not have.
const OTHER_PERIODS: &[&str] = &["halbjahr", "halbjahre", "halbjahres", "ultimo"];

/// Returns whether a word is one of these periods with a part of it, such as "dienstschluss".
pub(crate) fn is_part_of_period(word: &str, periods: &[&str]) -> bool {
    let mut parts = periods.iter().filter_map(|period| word.strip_prefix(*period));
    parts.any(|part| PARTS_OF_PERIODS.contains(&part))
}

/// Returns whether a word is a German day with a part of the day, or a part of a longer period.
pub(crate) fn is_german_time(word: &str) -> bool {
    if is_part_of_period(word, GERMAN_PERIODS) || OTHER_PERIODS.contains(&word) {
        return true;
    }
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
    if GERMAN.contains(word) || is_foreign(word) {
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
        || ABOUT_TIME.contains(word)
}

/// Returns whether a word belongs to a language that is not supported.
pub(crate) fn is_foreign(word: &str) -> bool {
    let is_latin = |c: char| (c as u32) < 0x250;
    FOREIGN.contains(word)
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
