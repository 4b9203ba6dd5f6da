//! The history: every attempt whose report was accepted stands in it exactly once, and is shown,
//! newest first.

use crate::invariants::violated;
use crate::model::Kept;
use crate::storage::Storage;
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Effects;
use scheduler_model::format::history::{Past, newest_first};
use scheduler_model::protocol::{RunPosition, RunsRequest};

fn kept(past: &Past<'_>) -> Kept {
    Kept {
        id: past.run.id.clone().into_owned(),
        due: past.run.due.get(),
        attempt: past.run.attempt,
        fired_at: past.fired_at.get(),
        reported_at: past.reported_at.get(),
        outcome: past.run.outcome,
        status: past.run.status,
        millis: past.run.ran.map(|ran| ran.millis),
        stage: past.run.stage.clone().into_owned(),
    }
}

/// `every-attempt-is-kept-once`: storage holds what was reported, in the order in which it was.
pub(crate) fn history_agrees(expected: &[Kept], storage: &Storage) {
    let mut stored = Vec::with_capacity(expected.len());
    for (row, of) in &storage.history {
        let found = newest_first(&of.body, None, u32::MAX, UnixMillis::ZERO, usize::MAX)
            .expect("a row can be read");
        let newest = found.iter().map(|(_, past)| past.reported_at).max();
        // An empty row stands for those that were forgotten.
        if !of.body.is_empty() && newest != Some(of.newest) {
            violated(
                "every-attempt-is-kept-once",
                format!("row {row} is of {:?}, its newest run of {newest:?}", of.newest),
            );
        }
        stored.extend(found.iter().rev().map(|(_, past)| kept(past)));
    }
    if stored != expected {
        let at = stored
            .iter()
            .zip(expected)
            .position(|(stored, expected)| stored != expected)
            .unwrap_or_default();
        let text = format!(
            "{} runs of {}, differing from {at}: {:?}",
            stored.len(),
            expected.len(),
            stored.get(at)
        );
        violated("every-attempt-is-kept-once", format!("{text}; expected {:?}", expected.get(at)));
    }
}

/// `runs-are-shown`: the runs of one id, a page at a time.
pub(crate) fn runs(world: &mut World, at: usize, id: &str, limit: usize) -> Result<(), Dropped> {
    let mut shown: Vec<(i64, u32, i64, String, String)> = Vec::new();
    let mut before: Option<RunPosition> = None;
    let all = world.model.history.get(&at).cloned().unwrap_or_default();
    loop {
        let request = RunsRequest { id: id.to_owned(), before, limit };
        let reply = world.input(
            at,
            false,
            |engine, now, storage| Ok((engine.runs(&request, now, storage)?, Effects::default())),
            |_, _, _| {},
        )?;
        if reply.items.len() > limit {
            violated(
                "runs-are-shown",
                format!("{} runs for a limit of {limit}", reply.items.len()),
            );
        }
        for item in &reply.items {
            let run: serde_json::Value = serde_json::from_str(item.run.get()).unwrap();
            let number = |name: &str| run[name].as_i64().unwrap();
            let is_left_out = matches!(run["outcome"].as_str(), Some("skipped" | "expired"));
            if run["firedAt"].is_i64() == is_left_out {
                violated("runs-are-shown", format!("{run} tells when it was dispatched, or not"));
            }
            let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
            shown.push((
                number("time"),
                number("attempt") as u32,
                number("reportedAt"),
                text("outcome"),
                text("stage"),
            ));
        }
        before = match reply.next {
            Some(next) if before.is_none_or(|before| next < before) => Some(next),
            Some(next) => {
                violated("runs-are-shown", format!("the cursor goes from {before:?} to {next:?}"))
            }
            None => break,
        };
    }
    let of_id = all.iter().rev().filter(|kept| kept.id == id);
    let expected: Vec<_> = of_id
        .map(|kept| {
            (
                kept.due,
                kept.attempt,
                kept.reported_at,
                kept.outcome.name().into_owned(),
                kept.stage.clone(),
            )
        })
        .collect();
    if shown != expected {
        violated("runs-are-shown", format!("{shown:?} of {id}; expected {expected:?}"));
    }
    Ok(())
}
