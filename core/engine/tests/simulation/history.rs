//! The history: it contains every attempt with an accepted report exactly once, and shows them
//! newest first.

use crate::invariants::violated;
use crate::model::Kept;
use crate::random::Random;
use crate::storage::Storage;
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Engine, EngineError};
use scheduler_model::format::history::{Past, newest_first};
use scheduler_model::protocol::{RunFilter, RunPosition, RunsRequest};
use scheduler_model::runs::{Order, RunsCursor, merge, merge_groups};

fn kept(past: &Past<'_>) -> Kept {
    Kept {
        id: past.run.id.clone().into_owned(),
        due: past.run.time.map_or(0, UnixMillis::get),
        attempt: past.run.attempt,
        fired_at: past.fired_at.get(),
        reported_at: past.reported_at.get(),
        outcome: past.run.outcome,
        status: past.run.status,
        millis: past.run.ran.map(|ran| ran.millis),
        stage: past.run.stage.clone().into_owned(),
        was_dispatched: past.run.was_dispatched,
        target: past
            .run
            .target
            .as_ref()
            .map_or(String::new(), |target| format!("{}:{}", target.kind.name(), target.name)),
        tags: past.run.tags.iter().map(|tag| tag.clone().into_owned()).collect(),
    }
}

/// Sorts the runs that did not start and were recorded together. Their order is not specified.
fn sort_undispatched(runs: &mut [Kept]) {
    let together = |one: &Kept, other: &Kept| {
        !one.was_dispatched && !other.was_dispatched && one.reported_at == other.reported_at
    };
    for group in runs.chunk_by_mut(together) {
        group.sort_by(|one, other| (one.due, &one.id).cmp(&(other.due, &other.id)));
    }
}

/// `every-attempt-is-kept-once`: storage contains the reported attempts, in the order of their
/// reports. Takes over its order of runs whose order is not specified.
pub(crate) fn history_agrees(expected: &mut [Kept], storage: &Storage) {
    let mut stored = Vec::with_capacity(expected.len());
    for (row, of) in &storage.history {
        let found = newest_first(&of.body, None, u32::MAX, UnixMillis::ZERO, usize::MAX)
            .expect("a row can be decoded");
        let newest = found.iter().map(|(_, past)| past.reported_at).max();
        // An empty row remains after a purge.
        if !of.body.is_empty() && newest != Some(of.newest) {
            violated(
                "every-attempt-is-kept-once",
                format!("row {row} is of {:?}, its newest run of {newest:?}", of.newest),
            );
        }
        stored.extend(found.iter().rev().map(|(_, past)| kept(past)));
    }
    if stored != expected {
        let order = stored.clone();
        sort_undispatched(&mut stored);
        sort_undispatched(expected);
        if stored == expected {
            expected.clone_from_slice(&order);
            return;
        }
        let at = stored
            .iter()
            .zip(&*expected)
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

/// `runs-are-shown`: the runs of one id are shown, a page at a time.
pub(crate) fn runs(world: &mut World, at: usize, id: &str, limit: usize) -> Result<(), Dropped> {
    let mut shown = Vec::new();
    let mut before: Option<RunPosition> = None;
    let all = world.model.history.get(&at).cloned().unwrap_or_default();
    loop {
        let request = RunsRequest::of_task(id, before, limit);
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
            let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
            shown.push((
                number("time"),
                number("attempt") as u32,
                run["firedAt"].as_i64(),
                number("reportedAt"),
                text("outcome"),
                text("stage"),
            ));
        }
        before = match reply.looked.next {
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
                // Only dispatched attempts have a firing time.
                kept.was_dispatched.then_some(kept.fired_at),
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

/// A run in a list of all tasks: its id, the time of its report, and its other members.
type Shown = (String, i64, u32, i64, String, String, String, Vec<String>);

fn shown(run: &serde_json::Value) -> Shown {
    let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| run[name].as_i64().unwrap();
    let tags = run["tags"].as_array().into_iter().flatten();
    (
        text("id"),
        number("time"),
        number("attempt") as u32,
        number("reportedAt"),
        text("outcome"),
        text("stage"),
        text("target"),
        tags.map(|tag| tag.as_str().unwrap().to_owned()).collect(),
    )
}

fn to_show(kept: &Kept) -> Shown {
    (
        kept.id.clone(),
        kept.due,
        kept.attempt,
        kept.reported_at,
        kept.outcome.name().into_owned(),
        kept.stage.clone(),
        kept.target.clone(),
        kept.tags.clone(),
    )
}

/// What a client may request, and which runs match it by the reference.
struct Asked {
    filter: RunFilter,
    limit: usize,
    max_rows: usize,
}

impl Asked {
    fn drawn(world: &World, draw: u64) -> Self {
        let mut random = Random::new(draw);
        let mut all: Vec<&Kept> = world.model.history.values().flatten().collect();
        all.sort_by_key(|kept| kept.reported_at);
        let mut filter = RunFilter::default();
        if !all.is_empty() && random.chance(600) {
            let one = (*random.pick(&all)).clone();
            match random.range(0, 5) {
                0 => filter.outcomes = Some(1 << one.outcome.code() | 1),
                1 => filter.prefix = Some(one.id.chars().take(2).collect()),
                2 => filter.target = Some(one.target),
                3 => filter.tags = one.tags,
                4 => filter.from = Some(UnixMillis::new(one.reported_at)),
                _ => filter.to = Some(UnixMillis::new(one.reported_at)),
            }
            // If a clock has gone back, rows are not ordered by time.
            filter.to = filter.to.filter(|_| !world.model.clocks_step);
        }
        let (limit, max_rows) = (*random.pick(&[1, 3, 10, 1_000]), *random.pick(&[1, 2, 32]));
        Self { filter, limit, max_rows }
    }

    fn means(&self, kept: &Kept) -> bool {
        let RunFilter { outcomes, target, tags, prefix, from, to, error: _ } = &self.filter;
        outcomes.is_none_or(|bits| bits & 1 << kept.outcome.code() != 0)
            && target.as_ref().is_none_or(|target| kept.target == *target)
            && tags.iter().all(|tag| kept.tags.contains(tag))
            && prefix.as_ref().is_none_or(|prefix| kept.id.starts_with(prefix.as_str()))
            && from.is_none_or(|from| kept.reported_at >= from.get())
            && to.is_none_or(|to| kept.reported_at < to.get())
    }
}

/// Sends a request to every shard at which a cursor continues.
fn each_shard<R: std::fmt::Debug>(
    world: &mut World,
    cursor: &RunsCursor,
    request: &RunsRequest,
    ask: fn(&mut Engine, &RunsRequest, UnixMillis, &Storage) -> Result<R, EngineError>,
) -> Result<Vec<Option<R>>, Dropped> {
    let mut replies = Vec::new();
    for (at, before) in cursor.positions().iter().enumerate() {
        let Some(before) = *before else {
            replies.push(None);
            continue;
        };
        let request = RunsRequest { before: Some(before), ..request.clone() };
        let ask = |engine: &mut Engine, now, storage: &Storage| {
            Ok((ask(engine, &request, now, storage)?, Effects::default()))
        };
        let mut reply = None;
        world.on_clock_of(at, |world| {
            reply = Some(world.input(at, false, ask, |_, _, _| {}));
        });
        replies.push(reply.transpose()?);
    }
    Ok(replies)
}

/// `all-runs-are-shown`: a list shows the matching runs of all shards exactly once, a page at a
/// time, ordered by their reports. It shows each failure in exactly one group.
pub(crate) fn all_runs(world: &mut World, draw: u64) -> Result<(), Dropped> {
    let asked = Asked::drawn(world, draw);
    let shards = world.shards.len();
    let mut expected: Vec<Vec<Shown>> = Vec::new();
    let mut failures = 0;
    for at in 0..shards {
        let all = world.model.history.get(&at).map_or(&[][..], Vec::as_slice);
        let meant = all.iter().rev().filter(|kept| asked.means(kept));
        failures += meant.clone().filter(|kept| !kept.outcome.is_good()).count() as u64;
        expected.push(meant.map(to_show).collect());
    }
    let request = RunsRequest {
        max_rows: asked.max_rows,
        ..RunsRequest::of_all(asked.filter.clone(), asked.limit)
    };
    let (mut seen, mut cursor) = (Vec::new(), Some(RunsCursor::start(shards)));
    while let Some(from) = cursor {
        let replies = each_shard(world, &from, &request, |engine, request, now, storage| {
            engine.runs(request, now, storage)
        })?;
        let page = merge(&from, replies, asked.limit);
        if page.items.len() > asked.limit || page.next.as_ref() == Some(&from) {
            violated("all-runs-are-shown", format!("{page:?} from {from:?}"));
        }
        seen.extend(
            page.items.iter().map(|item| shown(&serde_json::from_str(item.run.get()).unwrap())),
        );
        cursor = page.next;
    }
    let mut all: Vec<Shown> = expected.concat();
    let is_in_order = seen.is_sorted_by(|one, other| one.3 >= other.3);
    let mut sorted = seen.clone();
    all.sort();
    sorted.sort();
    if sorted != all || !is_in_order && !world.model.clocks_step {
        let detail = format!("{seen:?} for {:?}; expected {expected:?}", asked.filter);
        violated("all-runs-are-shown", detail);
    }
    let (mut counted, mut cursor) = (0, Some(RunsCursor::start(shards)));
    while let Some(from) = cursor {
        let replies = each_shard(world, &from, &request, |engine, request, now, storage| {
            engine.errors(request, now, storage)
        })?;
        let page = merge_groups(&from, replies, Order::Newest);
        counted += page.groups.iter().map(|group| group.count).sum::<u64>();
        cursor = page.next;
    }
    if counted != failures {
        violated("all-runs-are-shown", format!("{counted} failures in groups of {failures}"));
    }
    Ok(())
}
