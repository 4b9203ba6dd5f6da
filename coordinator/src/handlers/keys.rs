//! API keys: made, listed, revoked. Whoever may do so sees and touches those that reach no further
//! than their own.

use crate::clients::registry;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::access::{Entry, Key, KeyId, NewKey, ShownKey, Token};
use scheduler_platform::random_bytes;
use serde::Serialize;

/// A new key, with its secret: the only time that it is shown.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    shown: ShownKey<'a>,
    key: String,
}

/// `POST /v1/keys`.
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

/// `GET /v1/keys`.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let directory = registry::newest(call.env).await?;
    let keys: Vec<ShownKey<'_>> =
        directory.keys.iter().filter(|key| may_touch(&call, key)).map(ShownKey::from).collect();
    Ok(Answer::of(200, &serde_json::json!({ "keys": keys })))
}

/// `DELETE /v1/keys/{key}`.
pub(crate) async fn revoke(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let directory = registry::newest(call.env).await?;
    let key = KeyId::parse(&id).and_then(|id| directory.keys.iter().find(|key| key.id == id));
    // One that reaches further is not even said to be there.
    let key = key.filter(|key| may_touch(&call, key)).ok_or_else(|| Problem::no_key(&id))?;
    registry::revoke(call.env, key.id).await?;
    Ok(Answer::of(200, &serde_json::json!({ "id": id, "revoked": true })))
}

fn may_touch(call: &Call<'_>, key: &Key) -> bool {
    call.holder.may_grant(&key.namespaces).is_ok()
}
