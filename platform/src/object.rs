//! Sends requests to Durable Objects in as few steps as possible: the whole request body at once,
//! and the whole answer body at once.
//!
//! For each request, the SDK creates a `Request` with headers of its own. It reads the answer as a
//! stream, one chunk and several turns of the event loop at a time. A bulk request asks every
//! shard, so it would spend much of its time there.

use worker::js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Error, Result};

/// The binding of a Durable Object class.
#[derive(Debug, Clone)]
pub struct Objects {
    namespace: JsValue,
    get_by_name: Function,
}

impl Objects {
    /// Returns the class with the binding `binding`.
    ///
    /// # Errors
    /// Returns an error if there is no such binding.
    pub fn bound(env: &Env, binding: &str) -> Result<Self> {
        let namespace = Reflect::get(env, &JsValue::from_str(binding))?;
        let get_by_name = method(&namespace, "getByName").map_err(|_| {
            Error::RustError(format!(
                "there is no Durable Object binding {binding}; see wrangler.toml"
            ))
        })?;
        Ok(Self { namespace, get_by_name })
    }

    /// Posts `body` to an object. Returns the status and the body of the answer. Uses a new stub
    /// each time, because a stub may stay broken after an error.
    ///
    /// # Errors
    /// Returns what the platform threw; see its members `overloaded` and `retryable`.
    pub async fn post(&self, name: &str, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let stub = self.get_by_name.call1(&self.namespace, &JsValue::from_str(name))?;
        let init = Object::new();
        Reflect::set(&init, &JsValue::from_str("method"), &JsValue::from_str("POST"))?;
        Reflect::set(&init, &JsValue::from_str("body"), &Uint8Array::from(body))?;
        let url = JsValue::from_str(&format!("https://shard{path}"));
        let response = JsFuture::from(
            method(&stub, "fetch")?.call2(&stub, &url, &init)?.dyn_into::<Promise>()?,
        )
        .await?;
        let status =
            Reflect::get(&response, &JsValue::from_str("status"))?.as_f64().unwrap_or_default();
        let buffer = JsFuture::from(
            method(&response, "arrayBuffer")?.call0(&response)?.dyn_into::<Promise>()?,
        )
        .await?;
        Ok((status as u16, Uint8Array::new(&buffer).to_vec()))
    }
}

/// Returns the method `name` of the platform's object `of`.
pub(crate) fn method(of: &JsValue, name: &str) -> Result<Function> {
    Ok(Reflect::get(of, &JsValue::from_str(name))?.dyn_into()?)
}
