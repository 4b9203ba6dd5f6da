//! The API's description, `/openapi.json` (OpenAPI 3.1).
//!
//! The modules below generate it, and only tests compile them. The operations come from
//! [`crate::routes`], the schemas from the types that parse and write, and the limits from the
//! constants that are checked. The Worker contains only the result, a file that a test compares
//! with the generator. The file adds some kilobytes; the generator and the derives would add
//! ninety, compressed.

#[cfg(test)]
pub(crate) mod answers;
#[cfg(test)]
pub(crate) mod answers_of_calendars;
#[cfg(test)]
pub(crate) mod answers_of_many;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod checks_tests;
#[cfg(test)]
mod definitions;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod document;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod forms;
#[cfg(test)]
pub(crate) mod mcp_answers;
#[cfg(test)]
mod numbers_parameters;
#[cfg(test)]
pub(crate) mod operation;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod runs_parameters;
#[cfg(test)]
pub(crate) mod schemas;
#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tags;
#[cfg(test)]
pub(crate) mod tests;

/// The document. After a change to the API, `UPDATE_OPENAPI=1 cargo test -p coordinator openapi`
/// writes it.
pub(crate) const TEXT: &str = include_str!("../../openapi.json");
