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
    is_of_terms: true,
    has_dotted_ordinals: false,
    habits: Habits { has_24_hours: false, has_decimal_comma: false, has_day_first: false },
};

#[rustfmt::skip]
const ENTRIES: &[Entry] = &[
    ("2 day | at @", "today"), ("2 moro", "tomorrow"), ("2 morrow", "tomorrow"), ("2 mro", "tomorrow"), ("2 mrw", "tomorrow"),
    ("2 nite", "tonight"), ("2day", "today"), ("2morrow", "tomorrow"), ("afternon", "afternoon"),
    ("all days | except but besides apart at @", "every day"), ("all year round", ","), ("alternating | @ days weeks months", "alternate"),
    ("as follows", ","), ("beetween", "between"), ("begining", "beginning"), ("betweeen", "between"), ("betwen", "between"),
    ("bi - weekly", "biweekly"), ("bi weekly", "biweekly"), ("biweekly", "biweekly"), ("biz day", "business day"), ("biz days", "business days"),
    ("btw | #", "between"), ("dly", "daily"), ("each full hour", "every hour"), ("each week day", "every weekday"),
    ("eery | day week month @ #", "every"), ("eevry", "every"), ("ervery", "every"), ("ev", "every"), ("eveery", "every"), ("eveing", "evening"),
    ("evenning", "evening"), ("ever | day weekday morning evening @", "every"), ("everday", "every day"), ("everry", "every"), ("evert", "every"),
    ("everu", "every"), ("every full hour", "every hour"), ("every month end", "at the end of every month"), ("every week day", "every weekday"), ("evety", "every"), ("evey", "every"),
    ("eveyr", "every"), ("evrery", "every"), ("evrey", "every"), ("evry", "every"), ("evry day", "every day"), ("evryday", "every day"),
    ("excpet", "except"), ("execpt", "except"), ("exept", "except"), ("expect | on @ weekends holidays", "except"), ("forever", ","),
    ("forthnightly", "fortnightly"), ("fortnigtly", "fortnightly"), ("half - yearly", "every 6 months"), ("half yearly", "every 6 months"),
    ("horus", "hours"), ("hous | between from", "hours"), ("hrly", "hourly"), ("huor", "hour"), ("indefinitely", ","), ("m - f", "weekdays"),
    ("m - th", "mondays - thursday"), ("m / w / f", "mondays , wednesdays , fridays"), ("mid - day", "midday"), ("mid - night", "midnight"),
    ("mid night", "midnight"), ("midnite", "midnight"), ("minitues", "minutes"), ("mintues", "minutes"), ("minuets", "minutes"),
    ("minuts", "minutes"), ("mnth", "month"), ("mnths", "months"),  ("mon wed fri", "mondays , wednesdays , fridays"), ("month - end", "end of the month"), ("month end", "end of the month"), ("moring", "morning"),
    ("mornign", "morning"), ("mornin", "morning"), ("mthly", "monthly"), ("mtwrf", "weekdays"), ("mtwtf", "weekdays"), ("mtwthf", "weekdays"),
    ("mwf", "mondays , wednesdays , fridays"), ("nite", "night"), ("no matter what", ","), ("noontime", "noon"),
    ("once a fortnight", "fortnightly"), ("once per fortnight", "fortnightly"), ("plese", "please"), ("pls", "please"), ("plz", "please"),
    ("qtrly", "quarterly"), ("quartely", "quarterly"), ("quaterly", "quarterly"), ("remid me", "remind me"), ("remind - me", "remind me"),
    ("remindme", "remind me"), ("reming me", "remind me"), ("remnd me", "remind me"), ("secconds", "seconds"), ("secs", "seconds"),
    ("semi - annually", "every 6 months"), ("semiannual", "every 6 months"), ("semiannually", "every 6 months"), ("startng", "starting"),
    ("strating", "starting"), ("t / th", "tuesdays , thursdays"), ("tday", "today"), ("till further notice", ","), ("tmoro", "tomorrow"),
    ("tmr", "tomorrow"), ("tmrow", "tomorrow"), ("tmrrw", "tomorrow"), ("tmrw", "tomorrow"), ("tommorow", "tomorrow"), ("tommorrow", "tomorrow"),
    ("tomo", "tomorrow"), ("tomoro", "tomorrow"), ("tomorro", "tomorrow"), ("tomorrows", "tomorrow"), ("tomorrrow", "tomorrow"),
    ("tomoz", "tomorrow"), ("tomz", "tomorrow"), ("tonght", "tonight"), ("tonite", "tonight"), ("tth", "tuesdays , thursdays"),
    ("tu / th", "tuesdays , thursdays"), ("tue thu", "tuesdays , thursdays"), ("tuth", "tuesdays , thursdays"), ("unti", "until"),
    ("until further notice", ","), ("untill", "until"), ("untl", "until"), ("weekdy", "weekday"), ("weekned", "weekend"),
    ("without exception", ","), ("without fail", ","), ("wkday", "weekday"), ("wkdays", "weekdays"), ("wkend", "weekend"), ("wkends", "weekends"),
    ("wknd", "weekend"), ("wknds", "weekends"), ("wks", "weeks"), ("year - round", ","), ("yrly", "yearly"),
];

/// Words that are not typing errors.
const ORDINARY: &[&str] =
    &["sundae", "sundry", "minute", "minutest", "minuted", "weekend's", "embers"];
