//! Series: the points of a shard by minute and by hour, as its state stores them.
//!
//! | part | what |
//! |---|---|
//! | 1 byte | version: 1 |
//! | signed number | the minute since which points are kept, 0 for always |
//! | number, bytes | the length of the points by minute in bytes, and the points |
//! | number, bytes | the length of the points by hour in bytes, and the points |
//!
//! A point:
//!
//! | part | what |
//! |---|---|
//! | number | its number, signed for the first point; for others, the distance from the previous point |
//! | 1 byte | bit `i` says whether count `i` follows; the other counts are 0 |
//! | numbers | these counts, in the order of [`Counts`] |
//! | number, then for each bucket | the lateness, after the count `fired`: the number of buckets with a count; for each of them, a number whose lowest bit says whether empty buckets come before it and whose other bits are the count, and then the number of these empty buckets |
//!
//! Numbers have variable lengths. A usual minute takes 8 to 35 bytes.

use super::codec::{CodecError, take, take_array, take_number, take_signed, varint};
use crate::series::{CoarseHistogram, Counts, Point, Resolution};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

const VERSION: u8 = 1;
/// The bit of the count that the lateness follows.
const FIRED: u8 = 1 << 1;

/// Why bytes are not a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// The bytes have a version that this code does not know.
    #[error("the series has version {0}; this reader knows {VERSION}")]
    Version(u8),
    /// No writer could have written the bytes.
    #[error("the series: {0}")]
    Codec(#[from] CodecError),
    /// The numbers of the points do not rise.
    #[error("the points of the series are not in order")]
    Order,
    /// The text is not base64.
    #[error("the series is not base64")]
    Text,
    /// More bytes follow the last part.
    #[error("{0} bytes are left behind the series")]
    Rest(usize),
}

/// Encoded points in order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Points {
    bytes: Vec<u8>,
    last: Option<i64>,
}

impl Points {
    /// Encodes points, which must be in order of their numbers.
    pub fn of<'a>(points: impl IntoIterator<Item = &'a Point>) -> Self {
        let mut encoded = Self::default();
        points.into_iter().for_each(|point| encoded.push(point));
        encoded
    }

    /// Adds a point. Its number must be higher than those of the other points.
    pub fn push(&mut self, point: &Point) {
        match self.last {
            None => varint::put_signed(point.number, &mut self.bytes),
            Some(last) => {
                debug_assert!(point.number > last, "points are added in order");
                varint::put(point.number.abs_diff(last), &mut self.bytes);
            }
        }
        self.last = Some(point.number);
        put_counts(&point.counts, &mut self.bytes);
    }

    /// Reads encoded points, and checks all of them.
    ///
    /// # Errors
    /// Returns an error if [`Self::bytes`] could not have returned the bytes.
    pub fn read(bytes: &[u8]) -> Result<Vec<Point>, SeriesError> {
        let (mut rest, mut points) = (bytes, Vec::new());
        let mut last: Option<i64> = None;
        while !rest.is_empty() {
            let number = match last {
                None => take_signed(&mut rest)?,
                Some(last) => {
                    let distance: u64 = take_number(&mut rest)?;
                    let next = last.checked_add_unsigned(distance).filter(|next| *next > last);
                    next.ok_or(SeriesError::Order)?
                }
            };
            last = Some(number);
            points.push(Point { number, counts: take_counts(&mut rest)? });
        }
        Ok(points)
    }

    /// Returns the points.
    pub fn to_vec(&self) -> Vec<Point> {
        // The bytes were encoded here, or were checked when they were read.
        Self::read(&self.bytes).unwrap_or_default()
    }

    /// Returns the number of the last point.
    pub fn last(&self) -> Option<i64> {
        self.last
    }

    /// Returns the stored form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The points of both resolutions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredSeries {
    /// The minute since which points are kept, as [`Resolution::number`] counts it. `None` if
    /// nothing was counted before them.
    pub since: Option<i64>,
    /// The points by minute.
    pub minutes: Points,
    /// The points by hour.
    pub hours: Points,
}

impl StoredSeries {
    /// Returns the points of one length.
    pub fn points(&self, by: Resolution) -> &Points {
        match by {
            Resolution::Minute => &self.minutes,
            Resolution::Hour => &self.hours,
        }
    }

    /// Returns the stored form.
    pub fn encode(&self) -> Vec<u8> {
        let parts = [self.minutes.bytes(), self.hours.bytes()];
        let mut out = Vec::with_capacity(16 + parts.iter().map(|part| part.len()).sum::<usize>());
        out.push(VERSION);
        varint::put_signed(self.since.unwrap_or(0), &mut out);
        for part in parts {
            varint::put(part.len() as u64, &mut out);
            out.extend_from_slice(part);
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Returns an error if [`Self::encode`] could not have returned the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, SeriesError> {
        let mut rest = bytes;
        let [version] = take_array(&mut rest)?;
        if version != VERSION {
            return Err(SeriesError::Version(version));
        }
        let since = Some(take_signed(&mut rest)?).filter(|since| *since != 0);
        let mut points = || -> Result<Points, SeriesError> {
            let len = take_number(&mut rest)?;
            Ok(Points::of(&Points::read(take(&mut rest, len)?)?))
        };
        let series = Self { since, minutes: points()?, hours: points()? };
        if rest.is_empty() { Ok(series) } else { Err(SeriesError::Rest(rest.len())) }
    }
}

impl StoredSeries {
    /// Returns the stored form as text, for JSON.
    pub fn to_text(&self) -> String {
        BASE64.encode(self.encode())
    }

    /// Reads the stored form from a text.
    ///
    /// # Errors
    /// Returns an error if [`Self::to_text`] could not have returned the text.
    pub fn from_text(text: &str) -> Result<Self, SeriesError> {
        Self::decode(&BASE64.decode(text).map_err(|_| SeriesError::Text)?)
    }
}

fn put_counts(counts: &Counts, out: &mut Vec<u8>) {
    let numbers = [
        counts.created,
        counts.fired,
        counts.succeeded,
        counts.handed_over,
        counts.failed,
        counts.rows_written,
        counts.queue_operations,
        counts.backlog,
    ];
    let mut mask = if counts.lateness.total() > 0 { FIRED } else { 0 };
    for (bit, number) in numbers.iter().enumerate() {
        mask |= u8::from(*number > 0) << bit;
    }
    out.push(mask);
    for (bit, number) in numbers.iter().enumerate() {
        if mask >> bit & 1 == 1 {
            varint::put(*number, out);
        }
        if 1 << bit == FIRED && mask & FIRED != 0 {
            put_lateness(&counts.lateness, out);
        }
    }
}

fn take_counts(rest: &mut &[u8]) -> Result<Counts, CodecError> {
    let [mask] = take_array(rest)?;
    let number = |rest: &mut &[u8], bit: u8| -> Result<u64, CodecError> {
        if mask >> bit & 1 == 1 { take_number(rest) } else { Ok(0) }
    };
    let created = number(rest, 0)?;
    let fired = number(rest, 1)?;
    let lateness =
        if mask & FIRED != 0 { take_lateness(rest)? } else { CoarseHistogram::default() };
    Ok(Counts {
        created,
        fired,
        succeeded: number(rest, 2)?,
        handed_over: number(rest, 3)?,
        failed: number(rest, 4)?,
        rows_written: number(rest, 5)?,
        queue_operations: number(rest, 6)?,
        backlog: number(rest, 7)?,
        lateness,
    })
}

fn put_lateness(lateness: &CoarseHistogram, out: &mut Vec<u8>) {
    varint::put(lateness.counts().count() as u64, out);
    let mut next = 0;
    for (bucket, count) in lateness.counts() {
        let empty = bucket - next;
        // More than 2^63 do not occur.
        varint::put(count.min(u64::MAX >> 1) << 1 | u64::from(empty > 0), out);
        if empty > 0 {
            varint::put(empty as u64, out);
        }
        next = bucket + 1;
    }
}

fn take_lateness(rest: &mut &[u8]) -> Result<CoarseHistogram, CodecError> {
    let mut lateness = CoarseHistogram::default();
    let buckets: u8 = take_number(rest)?;
    let mut bucket = 0_usize;
    for _ in 0..buckets {
        let number: u64 = take_number(rest)?;
        if number & 1 == 1 {
            bucket += usize::from(take_number::<u8>(rest)?);
        }
        lateness.count_in(bucket, number >> 1);
        bucket += 1;
    }
    Ok(lateness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::hex;

    fn lateness(counts: &[(usize, u64)]) -> CoarseHistogram {
        let mut lateness = CoarseHistogram::default();
        counts.iter().for_each(|(bucket, count)| lateness.count_in(*bucket, *count));
        lateness
    }

    fn quiet() -> Counts {
        Counts {
            fired: 1,
            succeeded: 1,
            rows_written: 4,
            queue_operations: 3,
            lateness: lateness(&[(0, 1)]),
            ..Counts::default()
        }
    }

    fn busy() -> Counts {
        Counts {
            created: 3_750,
            fired: 3_800,
            succeeded: 3_700,
            handed_over: 20,
            failed: 100,
            rows_written: 2_100,
            queue_operations: 3_600,
            backlog: 70,
            lateness: lateness(&[
                (0, 600),
                (1, 300),
                (2, 300),
                (3, 500),
                (4, 700),
                (6, 1_390),
                (20, 10),
            ]),
        }
    }

    fn extreme() -> Counts {
        Counts {
            created: u64::MAX,
            fired: u64::MAX,
            succeeded: u64::MAX,
            handed_over: u64::MAX,
            failed: u64::MAX,
            rows_written: u64::MAX,
            queue_operations: u64::MAX,
            backlog: u64::MAX,
            lateness: lateness(&(0..121).map(|bucket| (bucket, u64::MAX >> 1)).collect::<Vec<_>>()),
        }
    }

    fn points() -> Vec<Point> {
        let point = |number, counts| Point { number, counts };
        vec![
            point(-3, quiet()),
            point(0, busy()),
            point(1, Counts { created: 1, ..Counts::default() }),
            point(29_400_000, extreme()),
            point(i64::MAX, Counts { lateness: lateness(&[(5, 2)]), ..Counts::default() }),
        ]
    }

    #[test]
    fn points_are_read_back() {
        let points = points();
        let encoded = Points::of(&points);
        assert_eq!(
            (Points::read(encoded.bytes()), encoded.last()),
            (Ok(points.clone()), Some(i64::MAX))
        );
        for (since, hours) in [(None, &points[1..3]), (Some(29_400_000), &points[..0])] {
            let series = StoredSeries { since, minutes: encoded.clone(), hours: Points::of(hours) };
            assert_eq!(StoredSeries::decode(&series.encode()), Ok(series.clone()));
            assert_eq!(series.points(Resolution::Hour).to_vec(), hours);
        }
        assert_eq!(
            StoredSeries::decode(&StoredSeries::default().encode()),
            Ok(StoredSeries::default())
        );
    }

    /// These bytes never change, because every later version must read stored series.
    #[test]
    fn the_bytes_are_these() {
        let point = |number, counts| Point { number, counts };
        let series = StoredSeries {
            since: Some(29_400_000),
            minutes: Points::of(&[
                point(29_400_001, quiet()),
                point(29_400_003, busy()),
                point(29_400_004, Counts { backlog: 5, ..Counts::default() }),
            ]),
            hours: Points::of(&[point(
                490_000,
                Counts { created: 300, failed: 7, ..Counts::default() },
            )]),
        };
        let golden = GOLDEN_1;
        assert_eq!(hex::encode(&series.encode()), golden);
        assert_eq!(StoredSeries::decode(&hex::decode_all(golden).unwrap()), Ok(series));
    }

    const GOLDEN_1: &str = "0180ef841c2d82ef841c6601010201040302ffa61dd81d07b009d804d804e807f80add1501150df41c1464b410901c4601800507a0e83b11ac0207";

    #[test]
    fn a_point_is_short() {
        let bytes = |counts: Counts| {
            let points =
                [Point { number: 1, counts: Counts::default() }, Point { number: 2, counts }];
            Points::of(&points).bytes().len() - Points::of(&points[..1]).bytes().len()
        };
        assert_eq!((bytes(quiet()), bytes(busy())), (8, 31));
    }

    #[test]
    fn other_bytes_are_refused() {
        let good =
            StoredSeries { since: None, minutes: Points::of(&points()), ..StoredSeries::default() }
                .encode();
        for end in 0..good.len() {
            assert!(StoredSeries::decode(&good[..end]).is_err(), "{end} bytes");
        }
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            StoredSeries::decode(&bytes)
        };
        assert_eq!(with(0, 2), Err(SeriesError::Version(2)));
        assert_eq!(
            StoredSeries::decode(&[good.as_slice(), &[0]].concat()),
            Err(SeriesError::Rest(1))
        );
        // Two points with the same number.
        let mut twice = Points::of(&points()[..1]);
        twice.bytes.extend_from_slice(&[0, 0]);
        assert_eq!(Points::read(&twice.bytes), Err(SeriesError::Order));
        // Reading any bytes ends.
        for at in 0..good.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let _ = with(at, byte);
            }
        }
    }
}
