//! Parts that come after what a schedule leaves out, and may belong to it.
//!
//! In "every hour except mondays between 12 and 13", the hours may belong to the schedule or to the
//! mondays. Such a sentence is refused, because only one of the two schedules is meant. A part is
//! accepted if it can belong to the schedule only: a time of day that the schedule lacks, a time
//! zone, a number of runs. So the rule is about kinds of parts, not about sentences.

use crate::clause::{Clause, Cycle, Day, Exception, Found, Point};
use crate::token::Token;
use crate::{Assumption, Reason, Refusal, Span};

const UNCLEAR: &str = "This may belong to the exception or to the whole schedule. Write what belongs to the schedule before \"except\".";

/// What separates a part from an exception before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nothing.
    Space,
    Comma,
    And,
    /// Other words or a closing parenthesis, which end the exception.
    End,
}

/// What is known about the parts that belong to the schedule.
#[derive(Debug, Default)]
pub(crate) struct Attached {
    pub(crate) assumptions: Vec<Assumption>,
    /// An end after days of the week that are left out: "except mondays until 20 december". It ends
    /// the schedule, or only the exception.
    pub(crate) open_end: Option<Span>,
}

/// Refuses a part that may belong to the exception before it. Returns what is known about the
/// others.
///
/// # Errors
/// Returns an error that names the first such part.
pub(crate) fn check(
    tokens: &[Token],
    left_over: &[usize],
    found: &[Found],
) -> Result<Attached, Refusal> {
    let mut attached = Attached::default();
    let exceptions = found.iter().enumerate().filter_map(|(at, part)| match &part.clause {
        Clause::Except(items) => Some((at, part, items)),
        _ => None,
    });
    for (at, exception, items) in exceptions {
        let Some(last) = items.last() else { continue };
        let rest = found.get(at + 1..).unwrap_or_default();
        let Some(first) = rest.first() else { continue };
        let chunk: Vec<&Found> =
            rest.iter().take_while(|part| part.tokens == first.tokens).collect();
        let gap = gap(tokens, left_over, exception.tokens.1, first.tokens.0);
        if gap == Gap::End {
            continue;
        }
        let others = found.iter().filter(|part| part.tokens != first.tokens && !is_exception(part));
        let schedule = Rest::of(others);
        let word = tokens.get(first.tokens.0).map_or("", |token| token.text.as_str());
        for part in chunk {
            let is_end =
                gap == Gap::Space && matches!(part.clause, Clause::Until(_) | Clause::For(_));
            let is_of_days = items.iter().all(|item| matches!(item, Exception::Weekdays(_)));
            if gap == Gap::And
                || is_end && !is_of_days
                || schedule.may_lose(&part.clause, last, gap, word)
            {
                let refusal = Refusal::new(Reason::NotUnderstood, part.span, UNCLEAR);
                let belongs_at = Some(exception.span.start);
                return Err(Refusal { belongs_at, ..refusal });
            }
            if is_end {
                attached.open_end = Some(part.span);
            } else if gap == Gap::Space && matches!(part.clause, Clause::From(_)) {
                let text = "The start is that of the whole schedule, not of the exception.";
                attached.assumptions.push(Assumption { text: text.to_owned(), cost: 10 });
            }
        }
    }
    Ok(attached)
}

fn is_exception(part: &Found) -> bool {
    matches!(part.clause, Clause::Except(_))
}

/// Returns what is between the tokens `from` and `to`.
fn gap(tokens: &[Token], left_over: &[usize], from: usize, to: usize) -> Gap {
    let mut gap = Gap::Space;
    for at in from..to {
        let text = tokens.get(at).map_or("", |token| token.text.as_str());
        match text {
            "and" | "&" | "+" => gap = Gap::And,
            ")" => return Gap::End,
            _ if left_over.contains(&at) => return Gap::End,
            _ if gap == Gap::Space => gap = Gap::Comma,
            _ => {}
        }
    }
    gap
}

/// What the other parts of the phrase say.
#[derive(Debug, Default)]
struct Rest {
    has_days: bool,
    has_time: bool,
    has_cycle: bool,
    /// Whether its cycle needs a day: "every month".
    needs_day: bool,
}

impl Rest {
    fn of<'f>(parts: impl Iterator<Item = &'f Found>) -> Self {
        let mut rest = Self::default();
        for part in parts {
            rest.has_days |= is_days(&part.clause);
            rest.has_time |= is_time(&part.clause);
            if let Clause::Cycle { cycle, .. } | Clause::Frequency { cycle, .. } = part.clause {
                rest.has_cycle = true;
                rest.needs_day |= matches!(
                    cycle,
                    Cycle::Weeks(_) | Cycle::Months(_) | Cycle::Quarterly | Cycle::Years(_)
                );
            }
        }
        rest
    }

    /// Returns whether a part after an exception, which ends with `last`, may belong to it.
    fn may_lose(&self, clause: &Clause, last: &Exception, gap: Gap, word: &str) -> bool {
        let touches = gap == Gap::Space;
        match clause {
            Clause::Window(..) | Clause::Months { .. } | Clause::Within(_) => true,
            clause if is_days(clause) => {
                let is_new = !self.has_cycle && (!touches || matches!(word, "every" | "each"));
                self.has_days || !self.needs_day && !is_new
            }
            // "weekdays except fridays every 2 weeks"
            Clause::Cycle { cycle, .. } | Clause::Frequency { cycle, .. } => {
                let is_within_day = matches!(cycle, Cycle::Seconds(_) | Cycle::Days(1));
                touches && !is_within_day && (self.has_cycle || self.has_days)
            }
            Clause::Part(_) | Clause::Habit => self.has_time || matches!(clause, Clause::Habit),
            clause if is_time(clause) => self.has_time,
            Clause::From(_) => touches && word == "from",
            Clause::Until(point) => touches && goes_on(last, point),
            Clause::For(_) => touches && last.may_begin_range(),
            _ => false,
        }
    }
}

/// Returns whether an exception and an end may be a range: "24 december until 2 january".
fn goes_on(last: &Exception, end: &Point) -> bool {
    let is_weekday = matches!(end.day, Some(Day::Weekday(..)));
    last.may_begin_range() || is_weekday && matches!(last, Exception::Weekdays(_))
}

fn is_days(clause: &Clause) -> bool {
    matches!(
        clause,
        Clause::Weekdays { .. }
            | Clause::OrdinalWeekday { .. }
            | Clause::Nth { .. }
            | Clause::MonthDays { .. }
            | Clause::Day(_)
            | Clause::Dates(_)
    )
}

fn is_time(clause: &Clause) -> bool {
    matches!(
        clause,
        Clause::At(_) | Clause::PastHour(_) | Clause::Minutes(_) | Clause::Part(_) | Clause::Habit
    )
}
