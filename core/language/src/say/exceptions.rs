//! What a schedule leaves out, as a sentence says it.

use super::voice::{Voice, fill};
use crate::Exclude;
use chrono::NaiveDate;

/// A leap year, which has every date.
const LEAP_YEAR: &str = "2000-";

/// Writes dates and times in words; `None` if that does not say everything.
pub(super) fn words(exclude: &Exclude, voice: &Voice) -> Option<String> {
    if !exclude.weekdays.is_empty() || !exclude.rules.is_empty() {
        return None;
    }
    let dates = exclude.dates.iter().map(|dates| dates_in_words(dates, voice));
    let times = exclude.times.iter().map(|times| {
        let (begin, end) = times.split_once('-')?;
        Some(fill(voice.excepted_times, &[begin, end]))
    });
    let items = dates.chain(times).collect::<Option<Vec<String>>>()?;
    Some(fill(voice.except, &[&voice.join(&items)]) + instead(exclude, voice))
}

/// Writes everything in the notation of the API.
pub(super) fn quoted(exclude: &Exclude, voice: &Voice) -> String {
    let plain = [&exclude.dates, &exclude.weekdays, &exclude.times];
    let plain: Vec<&str> = plain.into_iter().flatten().map(String::as_str).collect();
    let plain = (!plain.is_empty()).then(|| plain.join(", "));
    let items = plain.as_ref().into_iter().chain(&exclude.rules);
    let items: Vec<String> = items.map(|item| format!("\"{item}\"")).collect();
    fill(voice.except, &[&items.join(", ")]) + instead(exclude, voice)
}

fn instead(exclude: &Exclude, voice: &Voice) -> &'static str {
    match exclude.instead.as_deref() {
        Some("next") => voice.moved_to_next,
        Some("previous") => voice.moved_to_previous,
        _ => "",
    }
}

fn dates_in_words(dates: &str, voice: &Voice) -> Option<String> {
    let is_yearly = dates.len() < 10 || dates.contains('/') && dates.len() < 20;
    let read = |text: &str| -> Option<NaiveDate> {
        if is_yearly { format!("{LEAP_YEAR}{text}").parse().ok() } else { text.parse().ok() }
    };
    let written = |date: NaiveDate| {
        if is_yearly { voice.day_and_month(date) } else { voice.date(date) }
    };
    let written = match dates.split_once('/') {
        Some((first, last)) => {
            fill(voice.date_range, &[&written(read(first)?), &written(read(last)?)])
        }
        None => written(read(dates)?),
    };
    Some(if is_yearly { fill(voice.yearly_date, &[&written]) } else { written })
}
