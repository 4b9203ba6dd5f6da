//! Sends requests to Durable Objects in as few steps as possible: the whole request body at once,
//! and the whole answer body at once.
//!
//! For each request, the SDK creates a `Request` with headers of its own. It reads the answer as a
//! stream, one chunk and several turns of the event loop at a time. A bulk request asks every
//! shard, so it would spend much of its time there.

use crate::placement::Placement;
use worker::js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Error, Result};

/// The objects of a Durable Object class, in one jurisdiction.
#[derive(Debug, Clone)]
pub struct Objects {
    namespace: JsValue,
    get_by_name: Function,
    /// The options of `getByName`.
    options: JsValue,
}

impl Objects {
    /// Returns the class with the binding `binding`, in the jurisdiction of the deployment.
    ///
    /// # Errors
    /// Returns an error if there is no such binding, or if the settings of the placement are wrong.
    pub fn bound(env: &Env, binding: &str) -> Result<Self> {
        let placement = Placement::of(env).map_err(Error::RustError)?;
        Self::in_jurisdiction(env, binding, &placement.jurisdiction)
    }

    /// Returns the class with the binding `binding`, in a jurisdiction; an empty one is none.
    ///
    /// # Errors
    /// Returns an error if there is no such binding, or if the settings of the placement are wrong.
    pub fn in_jurisdiction(env: &Env, binding: &str, jurisdiction: &str) -> Result<Self> {
        let all = Self::without_jurisdiction(env, binding)?;
        if jurisdiction.is_empty() {
            return Ok(all);
        }
        let name = JsValue::from_str(jurisdiction);
        let namespace = method(&all.namespace, "jurisdiction")?
            .call1(&all.namespace, &name)
            .map_err(|thrown| {
                Error::RustError(format!(
                    "the platform refuses JURISDICTION {jurisdiction}: {:?}",
                    Error::from(thrown)
                ))
            })?;
        Ok(Self { get_by_name: method(&namespace, "getByName")?, namespace, ..all })
    }

    /// Returns the class with the binding `binding`, in no jurisdiction.
    ///
    /// # Errors
    /// Returns an error if there is no such binding, or if the settings of the placement are wrong.
    pub fn without_jurisdiction(env: &Env, binding: &str) -> Result<Self> {
        Self::placed(env, binding, &Placement::of(env).map_err(Error::RustError)?)
    }

    fn placed(env: &Env, binding: &str, placement: &Placement) -> Result<Self> {
        let namespace = Reflect::get(env, &JsValue::from_str(binding))?;
        let get_by_name = method(&namespace, "getByName").map_err(|_| {
            Error::RustError(format!(
                "there is no Durable Object binding {binding}; see wrangler.toml"
            ))
        })?;
        let options = Object::new();
        if !placement.location.is_empty() {
            let hint = JsValue::from_str(&placement.location);
            Reflect::set(&options, &JsValue::from_str("locationHint"), &hint)?;
        }
        Ok(Self { namespace, get_by_name, options: options.into() })
    }

    /// Posts `body` to an object. Returns the status and the body of the answer. Uses a new stub
    /// each time, because a stub may stay broken after an error. While it waits for the answer, it
    /// holds only the platform's copy of the body.
    ///
    /// # Errors
    /// Returns what the platform threw; see its members `overloaded` and `retryable`.
    pub async fn post(
        &self,
        name: &str,
        path: &str,
        body: impl AsRef<[u8]>,
    ) -> Result<(u16, Vec<u8>)> {
        let response = JsFuture::from(self.send(name, path, body)?).await?;
        let status =
            Reflect::get(&response, &JsValue::from_str("status"))?.as_f64().unwrap_or_default();
        let buffer = JsFuture::from(
            method(&response, "arrayBuffer")?.call0(&response)?.dyn_into::<Promise>()?,
        )
        .await?;
        Ok((status as u16, Uint8Array::new(&buffer).to_vec()))
    }

    /// Posts `body` to an object, and returns the promise of the answer. The request is sent even
    /// if the program ends before the answer arrives.
    ///
    /// # Errors
    /// Returns what the platform threw.
    pub fn send(&self, name: &str, path: &str, body: impl AsRef<[u8]>) -> Result<Promise> {
        let stub =
            self.get_by_name.call2(&self.namespace, &JsValue::from_str(name), &self.options)?;
        let init = Object::new();
        Reflect::set(&init, &JsValue::from_str("method"), &JsValue::from_str("POST"))?;
        Reflect::set(&init, &JsValue::from_str("body"), &Uint8Array::from(body.as_ref()))?;
        drop(body);
        let url = JsValue::from_str(&format!("https://shard{path}"));
        Ok(method(&stub, "fetch")?.call2(&stub, &url, &init)?.dyn_into::<Promise>()?)
    }
}

/// Returns the method `name` of the platform's object `of`.
pub(crate) fn method(of: &JsValue, name: &str) -> Result<Function> {
    Ok(Reflect::get(of, &JsValue::from_str(name))?.dyn_into()?)
}
