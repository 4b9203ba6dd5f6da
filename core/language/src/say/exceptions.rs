//! What a schedule leaves out, as a sentence says it.

use super::voice::{Voice, fill};
use crate::Exclude;
use chrono::NaiveDate;

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// A leap year, which has every date.
const LEAP_YEAR: &str = "2000-";

/// Writes dates, times, calendars and days of the week in some months in words; `None` if that does
/// not say everything.
pub(super) fn words(exclude: &Exclude, voice: &Voice) -> Option<String> {
    if !exclude.weekdays.is_empty() {
        return None;
    }
    let rules = exclude.rules.iter().map(|rule| days_in_months(rule, voice));
    let calendars = exclude.calendars.iter().map(|name| Some(calendar(name, voice)));
    let dates = exclude.dates.iter().map(|dates| dates_in_words(dates, voice));
    let times = exclude.times.iter().map(|times| {
        let (begin, end) = times.split_once('-')?;
        Some(fill(voice.excepted_times, &[begin, end]))
    });
    let items =
        rules.chain(dates).chain(times).chain(calendars).collect::<Option<Vec<String>>>()?;
    Some(fill(voice.except, &[&voice.join(&items)]) + instead(exclude, voice))
}

/// Writes everything in the notation of the API.
pub(super) fn quoted(exclude: &Exclude, voice: &Voice) -> String {
    let plain = [&exclude.dates, &exclude.weekdays, &exclude.times];
    let plain: Vec<&str> = plain.into_iter().flatten().map(String::as_str).collect();
    let plain = (!plain.is_empty()).then(|| plain.join(", "));
    let items = plain.as_ref().into_iter().chain(&exclude.rules);
    let mut items: Vec<String> = items.map(|item| format!("\"{item}\"")).collect();
    items.extend(exclude.calendars.iter().map(|name| calendar(name, voice)));
    fill(voice.except, &[&items.join(", ")]) + instead(exclude, voice)
}

fn calendar(name: &str, voice: &Voice) -> String {
    fill(voice.calendar, &[name])
}

/// Writes `FREQ=YEARLY;BYMONTH=12;BYDAY=FR` as "Fridays in December"; `None` for another rule.
fn days_in_months(rule: &str, voice: &Voice) -> Option<String> {
    let (months, days) = rule.strip_prefix("FREQ=YEARLY;BYMONTH=")?.split_once(";BYDAY=")?;
    // With several days, the months are those of the last one or of all.
    let day = DAYS.iter().position(|known| *known == days)?;
    let months: Option<Vec<String>> = months
        .split(',')
        .map(|month| voice.month(month.parse().ok()?).map(str::to_owned))
        .collect();
    Some(fill(voice.days_in_months, &[&voice.recurring_day(day)?, &voice.join(&months?)]))
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
