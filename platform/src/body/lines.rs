//! Cuts a body with one item on each line into parts, while its pieces arrive.
//!
//! Every decision is made at the end of a line, so the parts do not depend on how the body was cut
//! into pieces. A repeat of a body has the same parts.

/// The mark that some editors and programs write before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bounds of a part. A part ends before the first line that would exceed one of them, and has
/// at least one line.
#[derive(Debug, Clone, Copy)]
pub struct PartBounds {
    /// The most lines. Blank lines do not count.
    pub lines: usize,
    /// The most bytes of all lines together, with their ends.
    pub bytes: usize,
    /// The most bytes of a line, without its end. The bytes of a longer line are not kept.
    pub line_bytes: usize,
    /// The most lines that contain one of `costly`.
    pub costly_lines: usize,
    /// The texts that mark a costly line.
    pub costly: &'static [&'static str],
}

/// Some consecutive lines of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The lines that can be read, each with its end.
    pub text: String,
    /// Every line that is not blank.
    pub lines: Vec<Line>,
    /// How many of the lines are costly.
    pub costly_lines: usize,
}

/// A line of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The number of the line in the body, from 1. Blank lines count.
    pub number: u64,
    /// Why the line is not in the text of the part; absent if it is there.
    pub unreadable: Option<Unreadable>,
}

/// Why a line cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// The line is longer than the bound.
    TooLong,
    /// The line is not UTF-8.
    NotUtf8,
}

/// Cuts a body into parts. Holds at most a part, and the line after it.
#[derive(Debug)]
pub(super) struct Cutter {
    bounds: PartBounds,
    /// The whole lines of the part that can be kept, and then the line that has begun.
    text: Vec<u8>,
    /// The place in `text` of the line that has begun.
    begun: usize,
    /// Whether the line that has begun is longer than the bound. Then `text` has none of it.
    is_too_long: bool,
    lines: Vec<Line>,
    costly_lines: usize,
    /// The lines of the body that have ended.
    ended: u64,
}

impl Cutter {
    /// Returns a cutter for a new body.
    pub(super) fn new(bounds: PartBounds) -> Self {
        Self {
            bounds,
            text: Vec::new(),
            begun: 0,
            is_too_long: false,
            lines: Vec::new(),
            costly_lines: 0,
            ended: 0,
        }
    }

    /// Takes bytes from the front of `piece`, up to the end of a part. Returns the part, or `None`
    /// if it has taken all bytes.
    pub(super) fn take(&mut self, piece: &mut &[u8]) -> Option<Part> {
        while !piece.is_empty() {
            let end = piece.iter().position(|byte| *byte == b'\n');
            let (of_line, rest) = piece.split_at(end.unwrap_or(piece.len()));
            self.extend(of_line);
            *piece = rest.get(1..).unwrap_or_default();
            if end.is_some()
                && let Some(part) = self.end_line()
            {
                return Some(part);
            }
        }
        None
    }

    /// Returns the next part after the end of the body, or `None` if no line is left.
    pub(super) fn finish(&mut self) -> Option<Part> {
        let has_begun = self.is_too_long || self.text.len() > self.begun;
        if has_begun && let Some(part) = self.end_line() {
            return Some(part);
        }
        if self.lines.is_empty() { None } else { Some(self.cut()) }
    }

    /// Returns the number of lines that have ended, with blank ones.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// Adds bytes to the line that has begun.
    fn extend(&mut self, bytes: &[u8]) {
        // The return before the end of the line does not count, nor does a byte order mark.
        let most = self.bounds.line_bytes + BYTE_ORDER_MARK.len() + 1;
        let kept = self.text.len() - self.begun;
        if self.is_too_long || bytes.len() > most.saturating_sub(kept) {
            self.is_too_long = true;
            self.text.truncate(self.begun);
        } else {
            if self.text.capacity() == 0 {
                self.text.reserve_exact(self.bounds.bytes + most);
            }
            self.text.extend_from_slice(bytes);
        }
    }

    /// Ends the line that has begun. Returns the part before it if that has no room for it.
    fn end_line(&mut self) -> Option<Part> {
        self.ended += 1;
        let line = self.text.get(self.begun..).unwrap_or_default();
        if self.ended == 1 && line.starts_with(BYTE_ORDER_MARK) {
            self.text.drain(self.begun..self.begun + BYTE_ORDER_MARK.len());
        }
        if self.text.len() > self.begun && self.text.ends_with(b"\r") {
            self.text.pop();
        }
        let line = self.text.get(self.begun..).unwrap_or_default();
        if line.len() > self.bounds.line_bytes {
            self.is_too_long = true;
            self.text.truncate(self.begun);
        } else if !self.is_too_long && line.trim_ascii().is_empty() {
            self.text.truncate(self.begun);
            return None;
        }
        let line = self.text.get(self.begun..).unwrap_or_default();
        let is_costly = self.bounds.costly.iter().any(|mark| contains(line, mark.as_bytes()));
        if !self.is_too_long {
            self.text.push(b'\n');
        }
        let is_full = self.lines.len() >= self.bounds.lines
            || self.text.len() > self.bounds.bytes
            || is_costly && self.costly_lines >= self.bounds.costly_lines;
        let part = if is_full && !self.lines.is_empty() { Some(self.cut()) } else { None };
        let unreadable = self.is_too_long.then_some(Unreadable::TooLong);
        self.lines.push(Line { number: self.ended, unreadable });
        self.costly_lines += usize::from(is_costly);
        self.begun = self.text.len();
        self.is_too_long = false;
        part
    }

    /// Returns the part of the lines before the one that has begun.
    fn cut(&mut self) -> Part {
        let rest = self.text.get(self.begun..).unwrap_or_default();
        let mut next = Vec::with_capacity(self.text.capacity());
        next.extend_from_slice(rest);
        let mut text = std::mem::replace(&mut self.text, next);
        text.truncate(self.begun);
        self.begun = 0;
        let mut lines = std::mem::take(&mut self.lines);
        let text = String::from_utf8(text)
            .unwrap_or_else(|problem| only_utf8(problem.as_bytes(), &mut lines));
        Part { text, lines, costly_lines: std::mem::take(&mut self.costly_lines) }
    }
}

/// Returns the lines of `text` that are UTF-8. Marks the others in `lines`.
fn only_utf8(text: &[u8], lines: &mut [Line]) -> String {
    let mut kept = String::with_capacity(text.len());
    let readable = lines.iter_mut().filter(|line| line.unreadable.is_none());
    for (line, bytes) in readable.zip(text.split_inclusive(|byte| *byte == b'\n')) {
        match std::str::from_utf8(bytes) {
            Ok(text) => kept.push_str(text),
            Err(_) => line.unreadable = Some(Unreadable::NotUtf8),
        }
    }
    kept
}

/// Returns whether `text` contains `mark`. Looks at every byte only near a match: where the last
/// byte of the mark would be, most texts have a byte that no mark has.
fn contains(text: &[u8], mark: &[u8]) -> bool {
    let Some(last) = mark.len().checked_sub(1) else { return true };
    let mut at = last;
    while let Some(byte) = text.get(at) {
        let Some(from_end) = mark.iter().rev().position(|of_mark| of_mark == byte) else {
            at += mark.len();
            continue;
        };
        if from_end == 0 && text.get(at - last..=at) == Some(mark) {
            return true;
        }
        // The byte may be an earlier one of the mark.
        at += if from_end == 0 { 1 } else { from_end };
    }
    false
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
