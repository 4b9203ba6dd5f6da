//! Parses expressions into bit sets.

use super::bounds::{MAX_EXPRESSION_BYTES, MAX_TIMEZONE_BYTES};
use super::error::{CronError, Part, Problem};
use super::fields::Fields;
use crate::excerpt::Excerpt;
use crate::tz::Tz;

/// The names with `@`, and the expressions that they stand for.
const NAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// January is bit 1, as months are counted from 1.
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const EVERY_DAY: u32 = u32::MAX - 1;

/// Parses the name of a time zone.
pub(super) fn timezone(name: &str) -> Result<Tz, CronError> {
    let unknown = |near| CronError::UnknownTimezone { name: Excerpt::of(name), near };
    if name.len() > MAX_TIMEZONE_BYTES {
        return Err(unknown(Vec::new()));
    }
    name.parse().map_err(|_| unknown(Tz::near(name)))
}

/// Parses an expression.
pub(super) fn expression(expr: &str) -> Result<Fields, CronError> {
    if expr.len() > MAX_EXPRESSION_BYTES {
        return Err(CronError::TooLong { length: expr.len() });
    }
    let mut expr = expr.trim_ascii();
    if expr.starts_with('@') {
        expr = NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(expr))
            .map(|(_, long)| *long)
            .ok_or_else(|| CronError::UnknownName { name: Excerpt::of(expr) })?;
    }
    let parts: Vec<&str> = expr.split_ascii_whitespace().collect();
    match parts[..] {
        [minute, hour, day, month, weekday] => fields(["0", minute, hour, day, month, weekday]),
        [second, minute, hour, day, month, weekday] => {
            fields([second, minute, hour, day, month, weekday]).map_err(CronError::of_six)
        }
        _ => Err(CronError::FieldCount { count: parts.len() }),
    }
}

/// Parses the six fields of an expression.
fn fields(
    [second, minute, hour, day_of_month, month, day_of_week]: [&str; 6],
) -> Result<Fields, CronError> {
    let mut fields = Fields {
        seconds: plain(Part::Second, second)?.bits,
        minutes: plain(Part::Minute, minute)?.bits,
        hours: plain(Part::Hour, hour)?.bits as u32,
        months: plain(Part::Month, month)?.bits as u16,
        ..Fields::default()
    };
    days(day_of_month, day_of_week, &mut fields)?;
    if !fields.can_fire() {
        return Err(CronError::NeverFires);
    }
    Ok(fields)
}

/// The values of a field, and how they were written.
#[derive(Debug, Clone, Copy, Default)]
struct Values {
    bits: u64,
    /// Whether a step over `*` was used.
    stepped_star: bool,
}

/// Parses a field that has only numbers, names, ranges and steps.
fn plain(part: Part, text: &str) -> Result<Values, CronError> {
    let mut all = Values::default();
    each_item(part, text, |item| {
        all.add(values(part, item)?);
        Ok(())
    })?;
    Ok(all)
}

/// Parses both day fields.
fn days(day_of_month: &str, day_of_week: &str, fields: &mut Fields) -> Result<(), CronError> {
    let mut days = Values::default();
    each_item(Part::DayOfMonth, day_of_month, |item| {
        if item.eq_ignore_ascii_case("L") {
            fields.from_last |= 1;
        } else if item.eq_ignore_ascii_case("LW") {
            fields.last_workday = true;
        } else if let Some(days) =
            item.strip_prefix(['L', 'l']).and_then(|rest| rest.strip_prefix('-'))
        {
            let days = number(days).ok_or(Problem::NotUnderstood)?;
            fields.from_last |= 1
                << Some(days).filter(|days| (1..=30).contains(days)).ok_or(Problem::BeforeLast)?;
        } else if let Some(day) = item.strip_suffix(['W', 'w']) {
            fields.nearest |= 1 << value(Part::DayOfMonth, day)?;
        } else {
            days.add(values(Part::DayOfMonth, item)?);
        }
        Ok(())
    })?;

    let mut weekdays = Values::default();
    each_item(Part::DayOfWeek, day_of_week, |item| {
        if let Some((weekday, ordinal)) = item.split_once('#') {
            let weekday = 1 << (value(Part::DayOfWeek, weekday)? % 7);
            if ordinal.eq_ignore_ascii_case("L") {
                fields.last_of |= weekday;
            } else {
                let index =
                    number(ordinal).and_then(|nth| usize::try_from(nth.checked_sub(1)?).ok());
                *index.and_then(|index| fields.nth.get_mut(index)).ok_or(Problem::Ordinal)? |=
                    weekday;
            }
        } else if let Some(weekday) = item.strip_suffix(['L', 'l']) {
            if weekday.is_empty() {
                return Err(Problem::LastOfWhat);
            }
            fields.last_of |= 1 << (value(Part::DayOfWeek, weekday)? % 7);
        } else {
            weekdays.add(values(Part::DayOfWeek, item)?);
        }
        Ok(())
    })?;

    // A day is allowed if either field has it, so a field without a restriction must be left empty.
    match (is_every(day_of_month), is_every(day_of_week)) {
        (true, true) => fields.days = EVERY_DAY,
        (false, true) => fields.days = days.bits as u32,
        (true, false) => fields.weekdays = weekdays.weekdays(),
        (false, false) if days.stepped_star || weekdays.stepped_star => {
            return Err(CronError::AmbiguousDays);
        }
        (false, false) => {
            fields.days = days.bits as u32;
            fields.weekdays = weekdays.weekdays();
        }
    }
    Ok(())
}

/// Returns whether a day field leaves the days to the other one.
fn is_every(text: &str) -> bool {
    matches!(text, "*" | "?")
}

impl Values {
    fn add(&mut self, other: Self) {
        self.bits |= other.bits;
        self.stepped_star |= other.stepped_star;
    }

    /// Returns the values as weekdays. 7 means Sunday, like 0.
    fn weekdays(self) -> u8 {
        (self.bits | self.bits >> 7) as u8 & 0x7f
    }
}

/// Parses the entries of a list. An error says which entry is invalid, and why.
fn each_item(
    part: Part,
    text: &str,
    mut read: impl FnMut(&str) -> Result<(), Problem>,
) -> Result<(), CronError> {
    for item in text.split(',') {
        let result = match item {
            "" => Err(Problem::Empty),
            "*" | "?" if text.len() > 1 => Err(Problem::NotAlone),
            _ => read(item),
        };
        result.map_err(|problem| CronError::Item {
            part,
            item: Excerpt::of(item),
            problem,
            note: "",
        })?;
    }
    Ok(())
}

/// Parses `*`, `?` (days only), `a`, `a-b`, `*/n` or `a-b/n`.
fn values(part: Part, item: &str) -> Result<Values, Problem> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let (least, greatest) = part.range();
    let star = range == "*" || item == "?" && matches!(part, Part::DayOfMonth | Part::DayOfWeek);
    let (first, last) = if star {
        // Sunday has one value here, because a step would count it twice otherwise.
        (least, least + part.count() - 1)
    } else if let Some((first, last)) = range.split_once('-') {
        let first = value(part, first)?;
        // A range that ends on a Sunday, such as `FRI-SUN`.
        let ends_on_sunday =
            part == Part::DayOfWeek && first > 0 && last.eq_ignore_ascii_case("SUN");
        (first, if ends_on_sunday { greatest } else { value(part, last)? })
    } else {
        let single = value(part, range)?;
        if step.is_some() {
            return Err(Problem::StepWithoutRange);
        }
        (single, single)
    };
    if first > last {
        return Err(Problem::Backwards);
    }
    let step_by = match step {
        None => 1,
        Some(step) => match number(step).ok_or(Problem::NotUnderstood)? {
            step if (1..=part.count()).contains(&step) => step,
            _ => return Err(Problem::Step),
        },
    };
    let mut bits = 0;
    let mut value = first;
    while value <= last {
        bits |= 1 << value;
        value += step_by;
    }
    Ok(Values { bits, stepped_star: step.is_some() && star })
}

/// Parses a number of the field's range, or one of its names.
fn value(part: Part, text: &str) -> Result<u32, Problem> {
    let named = |names: &[&str], least: u32| {
        (least..)
            .zip(names)
            .find(|(_, name)| name.eq_ignore_ascii_case(text))
            .map(|(value, _)| value)
    };
    let value = match part {
        Part::Month => named(&MONTHS, 1),
        Part::DayOfWeek => named(&WEEKDAYS, 0),
        _ => None,
    };
    let value = value.or_else(|| number(text)).ok_or(Problem::NotUnderstood)?;
    let (least, greatest) = part.range();
    if (least..=greatest).contains(&value) { Ok(value) } else { Err(Problem::OutOfRange) }
}

/// Parses digits only (`parse` alone would accept `+5`). A number with too many digits is out of
/// every range.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}
