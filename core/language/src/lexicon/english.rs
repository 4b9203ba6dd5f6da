//! English. Its words are the terms themselves, except abbreviations and typing errors.

use super::table::{Entry, Habits, Lexicon};

pub(super) const LEXICON: Lexicon = Lexicon {
    entries: ENTRIES,
    numbers: &[],
    number_joint: None,
    endings: &[],
    behind_weekday: &[],
    notes: &[("biweekly", "Biweekly is every two weeks."), ("bi", "Biweekly is every two weeks.")],
    ordinary: ORDINARY,
    corrected: CORRECTED,
    about_time: ABOUT_TIME,
    is_of_terms: true,
    has_dotted_ordinals: false,
    habits: Habits { has_24_hours: false, has_decimal_comma: false, has_day_first: false },
};

#[rustfmt::skip]
const ENTRIES: &[Entry] = &[
    ("1 - on - 1", "meeting"), ("1 : 1 | with meeting call chat sync", "meeting"), ("2 day | at @", "today"), ("2 moro", "tomorrow"), ("2 morrow", "tomorrow"), ("2 mro", "tomorrow"), ("2 mrw", "tomorrow"),
    ("2 nite", "tonight"), ("2day", "today"), ("2morrow", "tomorrow"), ("afternon", "afternoon"),
    ("alarm for | #", "alarm at"), ("all days | except but besides apart at @", "every day"), ("all year round", ","), ("alt . | @", "alternate"), ("alt | @", "alternate"), ("alternating | @ days weeks months", "alternate"),
    ("always | on every each @ weekdays", ","), ("as follows", ","), ("at lunchtime at | #", "in the noontide at"), ("beetween", "between"), ("begining", "beginning"), ("betweeen", "between"), ("betwen", "between"),
    ("bi - weekly", "biweekly"), ("bi weekly", "biweekly"), ("biweekly", "biweekly"), ("biwkly", "biweekly"), ("biz day", "business day"), ("biz days", "business days"),
    ("btw | #", "between"), ("dly", "daily"), ("e / o", "every other"), ("ea | @", "each"), ("each full hour", "every hour"), ("each week day", "every weekday"),
    ("eery | day week month @ #", "every"), ("eevry", "every"), ("ervery", "every"), ("ev", "every"), ("eveery", "every"), ("eveing", "evening"),
    ("evenning", "evening"), ("ever | day weekday morning evening @", "every"), ("everday", "every day"), ("everry", "every"), ("evert", "every"),
    ("everu", "every"), ("every full hour", "every hour"), ("every month end", "at the end of every month"), ("every week day", "every weekday"), ("evety", "every"), ("evey", "every"),
    ("eveyr", "every"), ("evrery", "every"), ("evrey", "every"), ("evry", "every"), ("evry day", "every day"), ("evryday", "every day"),
    ("ex | @ weekends holidays", "except"), ("exc | @ weekends", "except"), ("excpet", "except"), ("execpt", "except"), ("exept", "except"), ("expect | on @ weekends holidays", "except"), ("forever", ","),
    ("forthnightly", "fortnightly"), ("fortnigtly", "fortnightly"), ("half - hourly", "every 30 minutes"), ("half - yearly", "every 6 months"), ("half hourly", "every 30 minutes"), ("half yearly", "every 6 months"),
    ("happy hour", "meeting"), ("horus", "hours"), ("hous | between from", "hours"), ("hrly", "hourly"), ("huor", "hour"), ("in a fortnight", "in 2 weeks"), ("indefinitely", ","), ("lunchtime at | #", "in the noontide at"), ("m - f", "weekdays"),
    ("m - th", "mondays - thursday"), ("m / w / f", "mondays , wednesdays , fridays"), ("m w f", "mondays , wednesdays , fridays"), ("mid - day", "midday"), ("mid - night", "midnight"),
    ("mid night", "midnight"), ("midnite", "midnight"), ("minitues", "minutes"), ("mintues", "minutes"), ("minuets", "minutes"),
    ("minuts", "minutes"), ("mnth", "month"), ("mnths", "months"),  ("mon wed fri", "mondays , wednesdays , fridays"), ("month - end", "end of the month"), ("month end", "end of the month"), ("moring", "morning"),
    ("mornign", "morning"), ("mornin", "morning"), ("mthly", "monthly"), ("mtwrf", "weekdays"), ("mtwtf", "weekdays"), ("mtwthf", "weekdays"),
    ("mwf", "mondays , wednesdays , fridays"), ("nite", "night"), ("no matter what", ","), ("noontime", "noon"),
    ("nxt", "next"), ("once a fortnight", "fortnightly"), ("once per fortnight", "fortnightly"), ("one - on - one", "meeting"), ("plese", "please"), ("pls", "please"), ("plz", "please"),
    ("qtrly", "quarterly"), ("quartely", "quarterly"), ("quaterly", "quarterly"), ("remid me", "remind me"), ("remimd me", "remind me"), ("remind - me", "remind me"),
    ("reminde me", "remind me"), ("remindme", "remind me"), ("remined me", "remind me"), ("reminf me", "remind me"), ("reming me", "remind me"), ("remnd me", "remind me"), ("remnid me", "remind me"), ("rmind me", "remind me"), ("secconds", "seconds"), ("secs", "seconds"),
    ("semi - annually", "every 6 months"), ("semiannual", "every 6 months"), ("semiannually", "every 6 months"), ("startng", "starting"),
    ("strating", "starting"), ("t / th", "tuesdays , thursdays"), ("tday", "today"), ("till further notice", ","), ("tmoro", "tomorrow"),
    ("tmr", "tomorrow"), ("tmrow", "tomorrow"), ("tmrrw", "tomorrow"), ("tmrw", "tomorrow"), ("tmw", "tomorrow"), ("tommorow", "tomorrow"), ("tommorrow", "tomorrow"),
    ("tomo", "tomorrow"), ("tomoro", "tomorrow"), ("tomorro", "tomorrow"), ("tomorrows", "tomorrow"), ("tomorrrow", "tomorrow"),
    ("tomoz", "tomorrow"), ("tomz", "tomorrow"), ("tonght", "tonight"), ("tonite", "tonight"), ("tth", "tuesdays , thursdays"),
    ("tu / th", "tuesdays , thursdays"), ("tue thu", "tuesdays , thursdays"), ("tuth", "tuesdays , thursdays"), ("unti", "until"),
    ("until further notice", ","), ("untill", "until"), ("untl", "until"), ("w / o | @ weekends", "except"), ("weekdy", "weekday"), ("weekned", "weekend"),
    ("without exception", ","), ("without fail", ","), ("wkday", "weekday"), ("wkdays", "weekdays"), ("wkend", "weekend"), ("wkends", "weekends"),
    ("wkly", "weekly"), ("wknd", "weekend"), ("wknds", "weekends"), ("wks", "weeks"), ("xcpt", "except"), ("year - round", ","), ("yrly", "yearly"),
];

/// Words that are not typing errors. Most of them are English words.
#[rustfmt::skip]
const ORDINARY: &[&str] = &[
    "alternates", "arch", "auguste", "augusto", "avery", "bach", "bays", "beach", "bear", "bears", "beds", "beginnings", "bending", "beside",
    "blast", "boon", "bother", "calf", "cast", "coon", "corning", "curing", "dads", "dairy", "daisy", "dally", "dams", "dans", "daring", "dear",
    "dearly", "dimes", "duly", "dune", "early", "ears", "east", "easter", "eighty", "embers", "emery", "endings", "etch", "ether", "even", "ever",
    "fast", "fear", "fears", "feds", "fifths", "fight", "fights", "filth", "firsts", "firth", "fist", "footy", "foray", "form", "fort", "forte",
    "forth", "forts", "fountain", "four", "fours", "fourths", "frida", "frog", "gays", "gear", "gears", "geek", "geeks", "goon", "hale", "hall",
    "halo", "halt", "hast", "hays", "hear", "hears", "height", "hirst", "jane", "jays", "joon", "jour", "jude", "judy", "juke", "jung", "junk",
    "juno", "jury", "jute", "juve", "knight", "knights", "lash", "lass", "lasts", "lays", "leach", "lear", "least", "leds", "leek", "lending",
    "lest", "light", "lightly", "lights", "limes", "list", "loon", "lost", "luring", "lust", "mach", "marc", "marco", "marcy", "marsh", "mast",
    "match", "mays", "meds", "meek", "meeks", "mending", "merch", "midway", "might", "minute", "minuted", "minutest", "moaning", "monte", "monty",
    "moon", "morty", "moth", "mother", "moths", "mountains", "mourning", "mouth", "mouths", "near", "nearly", "nears", "neat", "neon", "nest",
    "newt", "nifty", "nigh", "nook", "noone", "noor", "noun", "oily", "olly", "others", "otter", "ours", "part", "past", "pays", "peach", "pear",
    "pearly", "pears", "peek", "pending", "pour", "pours", "prom", "pune", "quarters", "quartet", "rays", "reach", "rear", "reds", "reek", "reeks",
    "resides", "right", "rightly", "rights", "rune", "says", "sears", "seek", "seeks", "seen", "semen", "sending", "sevens", "seventy", "sever",
    "severn", "shipping", "sight", "sights", "sipping", "sith", "sixty", "slipping", "soon", "sour", "staring", "starling", "starring", "startling",
    "starving", "stating", "steven", "sundae", "sundry", "sven", "teach", "tear", "tears", "teeth", "tending", "tent", "tenths", "tents", "text",
    "thirds", "thirsty", "thorough", "though", "thugs", "thus", "tides", "ties", "tight", "tightly", "tights", "tiles", "time", "timed", "timer",
    "timers", "tires", "todays", "toon", "tour", "tours", "trough", "tune", "turing", "twine", "vast", "vending", "ventral", "very", "ways", "weak",
    "weakly", "wear", "wears", "webs", "weed", "weeds", "weekend's", "weep", "weeps", "weight", "wight", "wording", "workings", "worming", "yeah", "yearn",
    "yeats", "yoon", "your", "yours", "zach",
];

/// Words in which one typing error is corrected.
#[rustfmt::skip]
const CORRECTED: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mondays", "tuesdays", "wednesdays", "thursdays", "fridays",
    "saturdays", "sundays", "january", "february", "september", "october", "november", "december", "tomorrow", "weekday", "weekdays", "weekend",
    "weekends", "midnight", "afternoon", "afternoons", "minutes", "monthly", "quarterly", "fortnight",
];

/// Words about time. A sentence with a typing error in one of them may mean another schedule.
#[rustfmt::skip]
const ABOUT_TIME: &[&str] = &[
    "every", "each", "until", "except", "excluding", "besides", "skipping", "without", "daily", "hourly", "weekly", "monthly", "yearly", "annually",
    "nightly", "quarterly", "fortnightly", "fortnight", "biweekly", "tonight", "today", "tomorrow", "morning", "mornings", "afternoon", "afternoons",
    "evening", "evenings", "night", "nights", "midnight", "midday", "noon", "minute", "minutes", "hour", "hours", "second", "seconds", "third",
    "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "first", "starting", "beginning", "between", "alternate", "alternating",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mondays", "tuesdays", "wednesdays", "thursdays", "fridays",
    "saturdays", "sundays", "thurs", "weds", "january", "february", "march", "april", "june", "july", "august", "september", "october", "november",
    "december", "seven", "eight", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    "thirty", "forty", "fifty", "half", "quarter", "weekday", "weekdays", "weekend", "weekends", "working", "business", "workday", "workdays",
    "twice", "times", "christmas", "halloween", "pacific", "eastern", "central", "mountain", "month", "months", "year", "years", "week", "weeks",
    "days", "other", "last", "next", "from", "only", "through", "ending", "during", "everyday", "apart", "tmrw",
];
