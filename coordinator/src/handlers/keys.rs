//! Creates, shows, lists and revokes API keys. A caller sees and revokes only keys that reach no
//! further than its own.

use crate::clients::registry;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::access::{Directory, Entry, Key, KeyId, NewKey, OwnKey, ShownKey, Token};
use scheduler_platform::random_bytes;
use serde::Serialize;

/// A new key with its secret, which is shown only this once.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    shown: ShownKey<'a>,
    key: String,
}

/// `POST /v1/keys` creates a key.
pub(crate) async fn create(mut call: Call<'_>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let random =
        || random_bytes().map_err(|_| Problem::unavailable("the platform gave no random numbers"));
    let [a, b, c, d, e, f, g, h, ..] = random()?;
    let token = Token::new([a, b, c, d, e, f, g, h], random()?);
    let key = NewKey::parse(&text)
        .and_then(|new| new.check(&token, call.now))
        .map_err(Problem::invalid)?;
    call.holder.may_grant(&key.namespaces)?;
    let entry = Entry::Key(key);
    registry::put(call.env, &entry).await?;
    let Entry::Key(key) = &entry else { return Err(Problem::no_key("")) };
    Ok(Answer::of(201, &Made { shown: ShownKey::from(key), key: token.reveal() }))
}

/// `GET /v1/keys` lists the keys.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let directory = registry::all(call.env).await?;
    let keys: Vec<ShownKey<'_>> =
        directory.keys.iter().filter(|key| may_touch(&call, key)).map(ShownKey::from).collect();
    Ok(Answer::of(200, &serde_json::json!({ "keys": keys })))
}

/// `GET /v1/key` shows what the key of the request may do.
pub(crate) async fn own(call: Call<'_>) -> Result<Answer, Problem> {
    Ok(Answer::of(200, &OwnKey::from(&call.holder)))
}

/// `GET /v1/keys/{id}` shows a key.
pub(crate) async fn get(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let directory = registry::all(call.env).await?;
    Ok(Answer::of(200, &ShownKey::from(found(&call, &directory, &id)?)))
}

/// `DELETE /v1/keys/{id}` revokes a key.
pub(crate) async fn revoke(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let directory = registry::newest(call.env).await?;
    let key = found(&call, &directory, &id)?;
    registry::revoke(call.env, key.id).await?;
    Ok(Answer::deleted(&id))
}

/// Returns the key with this id. If the key reaches further than the caller's, the answer is the
/// same as for a missing key.
fn found<'d>(call: &Call<'_>, directory: &'d Directory, id: &str) -> Result<&'d Key, Problem> {
    let key = KeyId::parse(id).and_then(|id| directory.keys.iter().find(|key| key.id == id));
    key.filter(|key| may_touch(call, key)).ok_or_else(|| Problem::no_key(id))
}

fn may_touch(call: &Call<'_>, key: &Key) -> bool {
    call.holder.may_grant(&key.namespaces).is_ok()
}
