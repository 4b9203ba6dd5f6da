//! Sentences with the schedule, the question or the refusal that a careful reader expects, scored
//! by their next runs.
//!
//! `cargo test -p scheduler-language --test sentences -- --nocapture` prints the scores.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions"
)]

mod common;

use common::{Expected, LINES, Line, lines, same_runs};
use scheduler_language::{Language, Outcome, Reading, parse, sentence_in};

/// The test tries one of this number of words with an error, because all of them take minutes.
const STEP: usize = 41;

/// The shortest word with an error. In a shorter one, an error often makes another word.
const SHORTEST: usize = 5;

/// The most phrases with an error that may be read as another schedule, of 1,000 that are
/// understood.
const MOST_WRONG: usize = 20;

#[derive(Debug, Clone, Copy, Default)]
struct Score {
    right: usize,
    refused: usize,
    wrong: usize,
}

impl Score {
    fn percent(self, part: usize) -> f64 {
        part as f64 * 100.0 / (self.right + self.refused + self.wrong).max(1) as f64
    }

    fn row(self, name: &str) -> String {
        let total = self.right + self.refused + self.wrong;
        let percent = self.percent(self.right);
        format!(
            "{name:<34} {total:>5} {:>6} {:>8} {:>6} {percent:>8.1} %",
            self.right, self.refused, self.wrong
        )
    }
}

/// Returns what became of one sentence, with what to print about it if it is not right.
fn judge(line: &Line) -> (Score, Option<String>) {
    let outcome = parse(line.phrase, line.now, line.zone());
    let right = Score { right: 1, ..Score::default() };
    let (refused, wrong) =
        (Score { refused: 1, ..Score::default() }, Score { wrong: 1, ..Score::default() });
    match (&line.expected, &outcome) {
        (Expected::Refused, Outcome::Refused(_)) | (Expected::Ask, Outcome::Ambiguous(_)) => {
            (right, None)
        }
        (Expected::Schedule(expected), Outcome::Understood(reading)) => {
            let is_described = line
                .description
                .is_none_or(|description| reading.description.as_deref() == Some(description));
            match (same_runs(expected, &reading.schedule, line.now), is_described) {
                (Ok(()), true) => (right, None),
                (Ok(()), false) => {
                    (wrong, Some(format!("is described as {:?}", reading.description)))
                }
                (Err(difference), _) => (wrong, Some(difference)),
            }
        }
        (_, Outcome::Understood(reading)) => {
            (wrong, Some(serde_json::to_string(&reading.schedule).unwrap()))
        }
        (_, Outcome::Refused(refusal)) => {
            let words = line.phrase.get(refusal.span.start..refusal.span.end).unwrap_or("?");
            (refused, Some(format!("refused at {words:?}: {}", refusal.message)))
        }
        (_, Outcome::Ambiguous(ambiguity)) => (
            refused,
            Some(format!(
                "asks {:?} with {} choices",
                ambiguity.questions,
                ambiguity.choices.len()
            )),
        ),
    }
}

#[test]
fn sentences_mean_what_a_careful_reader_expects() {
    let lines = lines();
    let mut rows: Vec<(&str, Score)> = Vec::new();
    let mut misses = Vec::new();
    for line in &lines {
        let (score, miss) = judge(line);
        misses.extend(miss.map(|miss| {
            format!(
                "{}: {} | {} {miss}",
                line.file,
                line.phrase,
                if score.wrong > 0 { "WRONG" } else { "not read:" }
            )
        }));
        let name = match line.expected {
            _ if line.file.starts_with("german") => "German",
            Expected::Schedule(ref schedule) if schedule.time.is_some() => {
                "schedules that fire once"
            }
            Expected::Schedule(_) => "recurring schedules",
            Expected::Ask => "to be asked back",
            Expected::Refused => "to be refused",
        };
        match rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum = add(*sum, score),
            None => rows.push((name, score)),
        }
    }
    let all = rows.iter().fold(Score::default(), |sum, (_, score)| add(sum, *score));
    println!(
        "{:<34} {:>5} {:>6} {:>8} {:>6} {:>10}",
        "sentences", "all", "right", "refused", "wrong", "right"
    );
    rows.iter().for_each(|(name, score)| println!("{}", score.row(name)));
    println!("{}", all.row("all"));
    misses.iter().for_each(|miss| println!("{miss}"));
    assert!(lines.len() >= 400, "only {} sentences were read", lines.len());
    let to_refuse =
        lines.iter().filter(|line| !matches!(line.expected, Expected::Schedule(_))).count();
    assert!(to_refuse >= 80, "only {to_refuse} of them are to be refused or asked back");
    assert_eq!(all.wrong, 0, "{misses:#?}");
    for (name, score) in rows {
        assert!(score.percent(score.right) >= 95.0, "{name}: {misses:#?}");
    }
}

fn add(one: Score, other: Score) -> Score {
    Score {
        right: one.right + other.right,
        refused: one.refused + other.refused,
        wrong: one.wrong + other.wrong,
    }
}

/// The sentence of what was understood says the same, whatever the time is at which it is read.
#[test]
fn sentences_come_back() {
    for line in lines() {
        let Outcome::Understood(reading) = parse(line.phrase, line.now, line.zone()) else {
            continue;
        };
        for language in Language::ALL {
            let words = sentence_in(language, &reading.schedule, line.now);
            let Outcome::Understood(again) = parse(&words, line.now, line.zone()) else {
                panic!("{}: {words}: {:?}", line.phrase, parse(&words, line.now, line.zone()));
            };
            assert_eq!(
                same_runs(&reading.schedule, &again.schedule, line.now),
                Ok(()),
                "{}: {words}",
                line.phrase
            );
            assert!(again.ignored.is_empty(), "{words}: {:?}", again.ignored);
        }
    }
}

/// Each choice is a whole reading, and says on which words it depends.
#[test]
fn choices_are_whole_readings_that_differ() {
    let mut asked = 0;
    for line in lines() {
        let Outcome::Ambiguous(ambiguity) = parse(line.phrase, line.now, line.zone()) else {
            continue;
        };
        asked += 1;
        assert!(
            (2..=scheduler_language::limits::MAX_CHOICES).contains(&ambiguity.choices.len()),
            "{}",
            line.phrase
        );
        assert!(!ambiguity.questions.is_empty(), "{}", line.phrase);
        for (at, choice) in ambiguity.choices.iter().enumerate() {
            assert!(
                !choice.differs.is_empty()
                    && choice.differs.iter().all(|part| !part.means.is_empty()),
                "{}",
                line.phrase
            );
            for other in &ambiguity.choices[at + 1..] {
                assert_ne!(choice.reading.schedule, other.reading.schedule, "{}", line.phrase);
                assert_ne!(choice.differs, other.differs, "{}", line.phrase);
            }
        }
    }
    assert!(asked >= 30, "only {asked} sentences were asked back");
}

/// The spans lie on the words, and used and ignored words do not overlap.
#[test]
fn spans_are_words_of_the_phrase() {
    for line in lines() {
        match parse(line.phrase, line.now, line.zone()) {
            Outcome::Understood(reading) => {
                let used: Vec<_> = reading.used.iter().map(|part| part.span).collect();
                for span in used.iter().chain(&reading.ignored) {
                    assert!(
                        line.phrase
                            .get(span.start..span.end)
                            .is_some_and(|words| !words.is_empty()),
                        "{}",
                        line.phrase
                    );
                }
                for (span, other) in used
                    .iter()
                    .flat_map(|span| reading.ignored.iter().map(move |other| (span, other)))
                {
                    assert!(
                        span.end <= other.start || other.end <= span.start,
                        "{}: {span:?} {other:?}",
                        line.phrase
                    );
                }
                assert!(!used.is_empty(), "{}", line.phrase);
            }
            Outcome::Refused(refusal) => {
                assert!(
                    line.phrase.get(refusal.span.start..refusal.span.end).is_some(),
                    "{}",
                    line.phrase
                )
            }
            Outcome::Ambiguous(_) => {}
        }
    }
}

#[test]
fn the_files_are_read_whole() {
    assert!(
        LINES.iter().all(|(name, text)| lines().iter().filter(|line| line.file == *name).count()
            > text.lines().count() / 2)
    );
}

/// Returns the words of a phrase that say when, as places in bytes.
fn words(line: &Line, reading: &Reading) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in line.phrase.char_indices().chain([(line.phrase.len(), ' ')]) {
        match (start, c.is_alphabetic()) {
            (None, true) => start = Some(at),
            (Some(begin), false) => {
                words.push((begin, at));
                start = None;
            }
            _ => {}
        }
    }
    let is_used = |(begin, end): &(usize, usize)| {
        reading.used.iter().any(|part| part.span.start <= *begin && *end <= part.span.end)
    };
    words.into_iter().filter(is_used).collect()
}

/// Returns a word with one letter left out, doubled, changed, or swapped with the next.
fn with_errors(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut words = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        let mut changed = letters.clone();
        changed.remove(at);
        words.push(changed);
        let mut changed = letters.clone();
        changed.insert(at, *letter);
        words.push(changed);
        let mut changed = letters.clone();
        changed[at] = if *letter == 'e' { 'r' } else { 'e' };
        words.push(changed);
        if letters.get(at + 1).is_some_and(|next| next != letter) {
            let mut changed = letters.clone();
            changed.swap(at, at + 1);
            words.push(changed);
        }
    }
    words.into_iter().map(String::from_iter).collect()
}

/// A typing error in a word that says when leads to the same schedule, a question or a refusal, and
/// almost never to another schedule.
#[test]
fn a_typing_error_makes_no_other_schedule() {
    let (mut count, mut same, mut wrong) = (0_usize, 0_usize, Vec::new());
    for line in lines().iter().filter(|line| !line.phrase.contains('"')) {
        let Outcome::Understood(meant) = parse(line.phrase, line.now, line.zone()) else {
            continue;
        };
        for (begin, end) in words(line, &meant) {
            let word = &line.phrase[begin..end];
            if word.chars().count() < SHORTEST {
                continue;
            }
            for error in with_errors(word) {
                count += 1;
                if !count.is_multiple_of(STEP) {
                    continue;
                }
                let phrase = format!("{}{error}{}", &line.phrase[..begin], &line.phrase[end..]);
                let Outcome::Understood(found) = parse(&phrase, line.now, line.zone()) else {
                    continue;
                };
                if same_runs(&meant.schedule, &found.schedule, line.now).is_ok() {
                    same += 1;
                } else {
                    wrong.push(phrase);
                }
            }
        }
    }
    println!("{same} are read as without the error, {} as another schedule", wrong.len());
    assert!(same > 500, "only {same} phrases were read");
    assert!(wrong.len() * 1_000 <= (same + wrong.len()) * MOST_WRONG, "{wrong:#?}");
}

/// Prints how long a sentence takes, and the most steps: `cargo test -p scheduler-language --test
/// sentences -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
#[expect(
    clippy::disallowed_methods,
    reason = "the clock measures the parser, which does not read it"
)]
fn speed() {
    const ROUNDS: u32 = 20;
    let lines = lines();
    let mut times: Vec<(f64, &str)> = Vec::new();
    for line in &lines {
        let zone = line.zone();
        // The best of several rounds: the others measure what else the machine does.
        let round = |_| {
            let start = std::time::Instant::now();
            std::hint::black_box(parse(std::hint::black_box(line.phrase), line.now, zone));
            start.elapsed().as_secs_f64() * 1e6
        };
        times.push(((0..ROUNDS).map(round).fold(f64::INFINITY, f64::min), line.phrase));
    }
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].0;
    let steps = lines
        .iter()
        .map(|line| scheduler_language::read(line.phrase, line.now, line.zone(), None).1)
        .max();
    println!(
        "{} sentences: median {:.1} us, 99 % {:.1} us, most {:.1} us; most steps {steps:?}",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    times.iter().rev().take(10).for_each(|(time, phrase)| println!("{time:.1} us: {phrase}"));
}
