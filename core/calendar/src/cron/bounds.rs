//! The bounds of expressions and time zone names.

/// The longest expression, in bytes. All values of all fields written out once, with names, `W` and
/// `#`, take 817 bytes; this is the next power of two.
pub const MAX_EXPRESSION_BYTES: usize = 1024;

/// The longest time zone name, in bytes: twice the longest existing one
/// (America/Argentina/ComodRivadavia).
pub const MAX_TIMEZONE_BYTES: usize = 64;
