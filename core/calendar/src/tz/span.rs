//! The part of a zone's table that both its file and its yearly rule produce.

/// 2100-06-01T00:00:00Z. Tables list the changes of a clock up to this time; later ones are
/// computed from the yearly rule of the zone.
pub(super) const LISTED_UNTIL: i64 = 4_115_491_200;

/// A time in which a clock keeps one offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Its first instant, Unix seconds.
    pub(super) begin: i64,
    /// Seconds ahead of UTC.
    pub(super) offset: i64,
}
