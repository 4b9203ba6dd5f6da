//! Parses the arguments of the attribute, and checks them by the rules of the Worker.

use proc_macro2::{Span, TokenStream};
use scheduler_calendar::cron::CronSchedule;
use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;
use scheduler_model::ids::check_task_id;
use scheduler_model::retry::{MAX_ATTEMPTS, RetryInput, RetryPolicy};
use scheduler_model::task::MAX_HANDLER_NAME_BYTES;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::fmt::Display;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, ExprUnary, Ident, Lit, Token, UnOp};

/// The names of all arguments.
const KNOWN: [&str; 10] = [
    "name",
    "retries",
    "min_backoff_seconds",
    "factor",
    "max_backoff_seconds",
    "jitter",
    "max_duration_seconds",
    "timeout_seconds",
    "cron",
    "timezone",
];

/// The arguments of a retry policy besides `retries`, each with its field in the API.
const POLICY: [(&str, &str); 5] = [
    ("min_backoff_seconds", "minBackoffSeconds"),
    ("factor", "factor"),
    ("max_backoff_seconds", "maxBackoffSeconds"),
    ("jitter", "jitter"),
    ("max_duration_seconds", "maxDurationSeconds"),
];

/// The declarations of a handler.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    /// `None` means the function's name.
    pub(crate) name: Option<String>,
    /// The retry policy as the API's JSON.
    pub(crate) retry: Option<String>,
    pub(crate) timeout_seconds: Option<u32>,
    /// The cron expression and the time zone.
    pub(crate) schedule: Option<(String, Option<String>)>,
}

impl Arguments {
    /// Parses the text in the attribute's parentheses.
    ///
    /// # Errors
    /// Returns all problems, each with its place.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self, Error> {
        let arguments = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut reader = Reader { given: BTreeMap::new(), error: None };
        for argument in &arguments {
            reader.take(argument);
        }
        let read = Self {
            name: reader.name(),
            retry: reader.retry(),
            timeout_seconds: reader.timeout_seconds(),
            schedule: reader.schedule(),
        };
        reader.error.map_or(Ok(read), Err)
    }
}

/// `name = value`.
struct Argument {
    name: Ident,
    value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        let name = input.call(Ident::parse_any)?;
        if !input.peek(Token![=]) {
            return Err(Error::new(name.span(), format!("{name} has no value; write {name} = …")));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { value: input.parse()?, name })
    }
}

/// The arguments by name, and the errors found so far.
struct Reader<'a> {
    given: BTreeMap<&'static str, &'a Expr>,
    error: Option<Error>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, argument: &'a Argument) {
        let name = argument.name.to_string();
        let Some(known) = KNOWN.into_iter().find(|known| **known == name) else {
            let problem =
                format!("unknown argument {name}; the arguments are: {}", KNOWN.join(", "));
            return self.refuse(argument.name.span(), problem);
        };
        if self.given.contains_key(known) {
            return self.refuse(argument.name.span(), format!("{name} is given twice; remove one"));
        }
        self.given.insert(known, &argument.value);
    }

    fn refuse(&mut self, place: Span, problem: impl Display) {
        let error = Error::new(place, problem);
        match &mut self.error {
            Some(all) => all.combine(error),
            None => self.error = Some(error),
        }
    }

    /// Returns an argument that must be a string, and its place.
    fn text(&mut self, argument: &'static str) -> Option<(String, Span)> {
        let value = *self.given.get(argument)?;
        match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some((text.value(), value.span())),
            _ => {
                self.refuse(
                    value.span(),
                    format!("{argument} must be a string literal: {argument} = \"…\""),
                );
                None
            }
        }
    }

    /// Returns an argument that must be a number, and its place.
    fn number(&mut self, argument: &'static str) -> Option<(f64, Span)> {
        let value = *self.given.get(argument)?;
        let number = number_in(value);
        if number.is_none() {
            self.refuse(
                value.span(),
                format!("{argument} must be a number literal: {argument} = 5"),
            );
        }
        Some((number?, value.span()))
    }

    /// Returns an argument that must be a whole number from `least` to `most`.
    fn whole(&mut self, argument: &'static str, least: u32, most: u32) -> Option<u32> {
        let (number, place) = self.number(argument)?;
        if number.fract() != 0.0 || !(f64::from(least)..=f64::from(most)).contains(&number) {
            self.refuse(
                place,
                format!("{argument} is {number}; must be a whole number from {least} to {most}"),
            );
            return None;
        }
        Some(number as u32)
    }

    fn name(&mut self) -> Option<String> {
        let (name, place) = self.text("name")?;
        if let Err(problem) = check_name(&name) {
            self.refuse(place, problem);
        }
        Some(name)
    }

    fn timeout_seconds(&mut self) -> Option<u32> {
        self.whole("timeout_seconds", 1, MAX_TIMEOUT_SECONDS)
    }

    fn retry(&mut self) -> Option<String> {
        let mut policy = Map::new();
        if let Some(retries) = self.whole("retries", 0, MAX_ATTEMPTS - 1) {
            policy.insert("maxAttempts".to_owned(), (retries + 1).into());
        }
        for (argument, field) in POLICY {
            if let Some((number, _)) = self.number(argument) {
                policy.insert(field.to_owned(), json_number(number));
            }
        }
        if policy.is_empty() {
            return None;
        }
        let text = Value::Object(policy).to_string();
        // The Worker does the same check. All fields are present, so only their values can be
        // wrong.
        if let Some(problem) = serde_json::from_str::<RetryInput>(&text)
            .ok()
            .and_then(|input| RetryPolicy::try_from(input).err())
        {
            let at_fault = POLICY
                .into_iter()
                .find(|(_, field)| problem.field.strip_prefix("retry.") == Some(field));
            let (argument, _) = at_fault.unwrap_or(("retries", "maxAttempts"));
            let place = self.given.get(argument).map_or_else(Span::call_site, |value| value.span());
            let detail = POLICY
                .into_iter()
                .fold(problem.detail, |detail, (argument, field)| detail.replace(field, argument));
            self.refuse(place, format!("{argument} {detail}"));
        }
        Some(text)
    }

    fn schedule(&mut self) -> Option<(String, Option<String>)> {
        let timezone = self.text("timezone");
        if let (Some((_, place)), false) = (&timezone, self.given.contains_key("cron")) {
            self.refuse(*place, "timezone is given without cron; add cron, or remove timezone");
            return None;
        }
        // Each of the two is checked separately, so that both errors are reported.
        if let Some((zone, place)) = &timezone
            && let Err(problem) = CronSchedule::parse("@daily", Some(zone))
        {
            self.refuse(*place, format!("timezone {problem}"));
        }
        let (cron, place) = self.text("cron")?;
        if let Err(problem) = CronSchedule::parse(&cron, None) {
            self.refuse(place, format!("cron {problem}"));
        }
        Some((cron, timezone.map(|(zone, _)| zone)))
    }
}

/// Returns the number of a literal, with or without a minus sign.
fn number_in(value: &Expr) -> Option<f64> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_digits().parse().ok(),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => {
            number_in(expr).map(|number: f64| -number)
        }
        _ => None,
    }
}

/// Converts a whole number to an integer, so that the JSON has `5` instead of `5.0`.
fn json_number(number: f64) -> Value {
    if number.fract() == 0.0 && (0.0..1e15).contains(&number) {
        return (number as u64).into();
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Checks that `name` is a valid name of a handler.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("name is empty; give a name, or omit it to use the function's name".to_owned());
    }
    if name.len() > MAX_HANDLER_NAME_BYTES {
        return Err(format!(
            "name is {} bytes long; the limit is {MAX_HANDLER_NAME_BYTES}",
            name.len()
        ));
    }
    check_task_id(name).map_err(|problem| format!("name {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn problems(tokens: TokenStream) -> Vec<String> {
        Arguments::parse(tokens).unwrap_err().into_iter().map(|error| error.to_string()).collect()
    }

    #[test]
    fn all_arguments_are_parsed() {
        let read = Arguments::parse(quote! {
            name = "weekly", retries = 5, min_backoff_seconds = 0.5, factor = 3, max_backoff_seconds = 60, jitter = 0,
            max_duration_seconds = 3_600, timeout_seconds = 30, cron = "0 9 * * MON", timezone = "Europe/London",
        });
        let read = read.unwrap();
        assert_eq!(read.name.as_deref(), Some("weekly"));
        assert_eq!(
            read.retry.as_deref(),
            Some(
                r#"{"factor":3,"jitter":0,"maxAttempts":6,"maxBackoffSeconds":60,"maxDurationSeconds":3600,"minBackoffSeconds":0.5}"#
            )
        );
        assert_eq!(read.timeout_seconds, Some(30));
        assert_eq!(
            read.schedule,
            Some(("0 9 * * MON".to_owned(), Some("Europe/London".to_owned())))
        );
        assert_eq!(Arguments::parse(quote!()).unwrap(), Arguments::default());
        assert_eq!(
            Arguments::parse(quote!(retries = 0)).unwrap().retry.as_deref(),
            Some(r#"{"maxAttempts":1}"#)
        );
    }

    /// Compares the list of arguments with the code that parses them: each argument is refused with
    /// a value of the wrong type.
    #[test]
    fn every_known_argument_is_parsed() {
        for name in KNOWN {
            let ident = Ident::new(name, Span::call_site());
            let found = problems(quote!(#ident = true));
            assert!(found[0].starts_with(name), "{found:?}");
        }
    }

    #[test]
    fn the_bounds_are_the_same_as_in_the_worker() {
        for (tokens, fits) in [
            (quote!(retries = 99), true),
            (quote!(retries = 100), false),
            (quote!(retries = -1), false),
            (quote!(retries = 1.5), false),
            (quote!(timeout_seconds = 60), true),
            (quote!(timeout_seconds = 61), false),
            (quote!(timeout_seconds = 0), false),
            (quote!(jitter = 1), true),
            (quote!(jitter = 1.01), false),
            (quote!(factor = 0.9), false),
            (quote!(min_backoff_seconds = 86_400), true),
            (quote!(min_backoff_seconds = 86_401), false),
            (quote!(max_backoff_seconds = 0.5), false),
            (quote!(min_backoff_seconds = 0.1, max_backoff_seconds = 0.5), true),
            (quote!(max_duration_seconds = 2_592_001), false),
        ] {
            let read = Arguments::parse(tokens.clone());
            assert_eq!(read.is_ok(), fits, "{tokens}: {read:?}");
        }
    }

    #[test]
    fn all_problems_are_reported_together() {
        let found = problems(quote!(
            cron = "x",
            timezone = "Mars",
            retrys = 3,
            name = "",
            name = "b",
            jitter = 2
        ));
        assert_eq!(found.len(), 6, "{found:#?}");
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(check_name(&"n".repeat(248)), Ok(()));
        assert!(check_name(&"n".repeat(249)).unwrap_err().contains("the limit is 248"));
        assert!(check_name("a\nb").unwrap_err().contains("control character"));
        assert!(check_name(" ").unwrap_err().contains("empty"));
    }
}
