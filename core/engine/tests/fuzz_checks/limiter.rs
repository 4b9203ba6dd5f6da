//! Checks that hold for any messages to a limiter, in any order. The fuzz target and the ordinary
//! tests share them.

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::{Limiter, Write};
use scheduler_model::limit::{Limit, check_limit_key};
use scheduler_model::protocol::limiter::{LimiterRequest, Named};
use std::collections::BTreeMap;

/// The most messages of one input that the check carries out.
const MOST: usize = 200;

/// Input: one message per line. `ask` and a shard's request as JSON; `put`, a key and a limit as
/// JSON; `del` and a key; a number of milliseconds that pass; `restart`.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut now = UnixMillis::new(1_764_000_000_000);
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    let mut lives = 1;
    let mut limiter = Limiter::load(None, lives).expect("an empty limiter can be loaded");
    for line in text.lines().take(MOST) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let writes = match verb {
            "ask" => {
                let Ok(asked) = serde_json::from_str::<LimiterRequest>(rest) else { continue };
                let (answer, writes) = limiter.ask(&asked, now);
                if let Some(answer) = answer {
                    assert_eq!(answer.number, asked.ask.number);
                    let json = serde_json::to_string(&answer).expect("an answer can be encoded");
                    assert_eq!(
                        serde_json::from_str::<scheduler_model::protocol::limiter::Answer>(&json)
                            .expect("an encoded answer can be parsed"),
                        answer
                    );
                }
                writes
            }
            "put" => {
                let Some((key, limit)) = rest.split_once(' ') else { continue };
                let (Ok(()), Ok(limit)) = (check_limit_key("limitKey", key), Limit::parse(limit))
                else {
                    continue;
                };
                match limiter.put(Named { key: key.to_owned(), limit }, now) {
                    Ok((_, write)) => vec![write],
                    Err(refused) => {
                        assert!(!refused.detail.is_empty());
                        continue;
                    }
                }
            }
            "del" => limiter.delete(rest).into_iter().collect(),
            "restart" => {
                lives += 1;
                limiter = Limiter::load(rows.values().cloned(), lives)
                    .expect("the stored rows can be loaded");
                continue;
            }
            millis => {
                now = now.plus(millis.parse::<u32>().map_or(0, i64::from));
                continue;
            }
        };
        for write in writes {
            match write {
                Write::Put { name, record } => drop(rows.insert(name, record)),
                Write::Delete { name } => drop(rows.remove(&name)),
                Write::Clear => rows.clear(),
            }
        }
        for shown in limiter.list() {
            assert_eq!(limiter.get(&shown.key).as_ref(), Some(&shown));
            serde_json::to_string(&shown).expect("a limit can be shown");
        }
    }
    // A restart at the end finds everything that was noted.
    let loaded =
        Limiter::load(rows.into_values(), lives + 1).expect("the stored rows can be loaded");
    for shown in limiter.list() {
        assert_eq!(loaded.slots(&shown.key), limiter.slots(&shown.key), "{}", shown.key);
    }
}
