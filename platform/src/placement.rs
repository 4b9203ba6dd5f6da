//! Where the deployment's Durable Objects live.

use crate::settings::{self, JURISDICTION, LOCATION};
use std::cell::OnceCell;
use worker::Env;
use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;

/// The location hints of the platform. The platform ignores any other text, and an object never
/// moves, so a typing error would place every object for good. Source: the type
/// `DurableObjectLocationHint` of `@cloudflare/workers-types`, in November 2026.
const LOCATIONS: [&str; 11] =
    ["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"];

/// Where the deployment's Durable Objects live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The platform's location hint for new objects. If it is empty, the platform places an object
    /// near its first caller. The hint has no effect on an object that already exists.
    pub location: String,
    /// The platform's jurisdiction, which is part of the identity of each object; empty for none.
    pub jurisdiction: String,
}

thread_local! {
    /// The settings cannot change while an instance lives.
    static OF_INSTANCE: OnceCell<Result<Placement, String>> = const { OnceCell::new() };
}

impl Placement {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns an error that names the setting, if the platform has no such location, or if the
    /// jurisdiction cannot be the name of one.
    pub fn of(env: &Env) -> Result<Self, String> {
        OF_INSTANCE.with(|known| {
            let read =
                || parse(settings::trimmed(env, LOCATION), settings::trimmed(env, JURISDICTION));
            known.get_or_init(read).clone()
        })
    }
}

/// Returns the jurisdiction of the object with this state; empty for none. Returns `None` if the
/// runtime does not say.
pub fn jurisdiction_of(state: &JsValue) -> Option<String> {
    let id = Reflect::get(state, &JsValue::from_str("id")).ok()?;
    let name = JsValue::from_str("jurisdiction");
    if !Reflect::has(&id, &name).unwrap_or(false) {
        return None;
    }
    Some(Reflect::get(&id, &name).ok().and_then(|name| name.as_string()).unwrap_or_default())
}

fn parse(location: String, jurisdiction: String) -> Result<Placement, String> {
    if !location.is_empty() && !LOCATIONS.contains(&location.as_str()) {
        return Err(format!(
            "{LOCATION} is {location:?}, which the platform does not know; write one of {}, or nothing",
            LOCATIONS.join(", ")
        ));
    }
    // The platform adds jurisdictions, and throws an error for a name that it does not know.
    if jurisdiction.len() > 32
        || !jurisdiction.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    {
        return Err(format!(
            "{JURISDICTION} is {jurisdiction:?}, which is not the name of a jurisdiction; write one like eu or us, or nothing"
        ));
    }
    Ok(Placement { location, jurisdiction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placement_has_a_location_that_the_platform_knows() {
        let parse = |location: &str, jurisdiction: &str| {
            parse(location.to_owned(), jurisdiction.to_owned())
        };
        assert_eq!(parse("", ""), Ok(Placement::default()));
        let placement = parse("weur", "fedramp-high").unwrap();
        assert_eq!((&*placement.location, &*placement.jurisdiction), ("weur", "fedramp-high"));
        for location in ["mars", "WEUR", "weur,enam"] {
            let problem = parse(location, "").unwrap_err();
            assert!(
                problem.starts_with(&format!("LOCATION is {location:?}"))
                    && problem.contains("weur, eeur"),
                "{problem}"
            );
        }
        let long = "e".repeat(33);
        for jurisdiction in ["EU", "e u", "eu,us", &long] {
            assert!(
                parse("", jurisdiction)
                    .unwrap_err()
                    .starts_with(&format!("JURISDICTION is {jurisdiction:?}"))
            );
        }
    }
}
