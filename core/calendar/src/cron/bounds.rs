//! The bounds of expressions and of names of time zones.

/// Longest expression, bytes. Every value of every field written out once, names, `W` and `#`
/// included, takes 817; rounded up to a power of two.
pub const MAX_EXPRESSION_BYTES: usize = 1024;

/// Longest name of a time zone, bytes: twice the longest there is
/// (America/Argentina/ComodRivadavia).
pub const MAX_TIMEZONE_BYTES: usize = 64;
