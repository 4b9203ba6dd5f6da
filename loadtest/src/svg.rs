//! Draws the histogram of latenesses as an SVG picture, with one panel per series and a common
//! logarithmic axis.

use std::fmt::Write;

use crate::latency::{Summary, summarize};

/// A named set of latenesses in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: &'a [i64],
}

/// The lower edges of the bars in milliseconds. They are roughly even on a logarithmic axis, and
/// whole numbers, so that every bar contains a whole millisecond.
const EDGES: [i64; 34] = [
    1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 40, 50, 70, 100, 140, 200, 300, 400, 500, 700, 1_000, 1_400,
    2_000, 3_000, 4_000, 5_000, 7_000, 10_000, 14_000, 20_000, 30_000, 50_000, 70_000, 100_000,
];
/// The lower edges that have a label if there is room.
const LABELLED: [i64; 15] =
    [2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

const WIDTH: f64 = 960.0;
const PANEL: f64 = 220.0;
const HEADER: f64 = 56.0;
const FOOTER: f64 = 64.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 24.0;
/// The height of the bars in a panel, and the room above them for the panel's texts.
const BARS: f64 = 150.0;
const ABOVE: f64 = 44.0;
/// The width of the bar for less than 1 ms, to the left of the logarithmic axis, which has no place
/// for 0.
const ZERO: f64 = 26.0;
/// The room for a label, and for the name of a percentile.
const LABEL: f64 = 40.0;
const MARK: f64 = 26.0;
const COLORS: [&str; 3] = ["#2563eb", "#d97706", "#059669"];

/// Returns the picture. Series without values are omitted.
pub(crate) fn histogram(title: &str, subtitle: &str, series: &[Series<'_>]) -> String {
    let series: Vec<_> = series.iter().filter(|series| !series.values.is_empty()).collect();
    let axis =
        Axis::up_to(series.iter().flat_map(|series| series.values).copied().max().unwrap_or(0));
    let panels = series.len().max(1) as f64;
    let height = HEADER + panels * PANEL + FOOTER;
    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _ = out.write_fmt(text);
        out.push('\n');
    };
    put(format_args!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2937">"##
    ));
    put(format_args!("<title>{}</title>", escape(title)));
    put(format_args!(r##"<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>"##));
    put(format_args!(
        r#"<text x="{LEFT}" y="26" font-size="17" font-weight="600">{}</text>"#,
        escape(title)
    ));
    put(format_args!(r##"<text x="{LEFT}" y="46" fill="#6b7280">{}</text>"##, escape(subtitle)));
    if series.is_empty() {
        put(format_args!(r#"<text x="{LEFT}" y="{}">nothing was received</text>"#, HEADER + 40.0));
    }
    for (place, series) in series.iter().enumerate() {
        let color = COLORS.get(place % COLORS.len()).copied().unwrap_or("#2563eb");
        panel(&mut put, axis, HEADER + place as f64 * PANEL, color, series);
    }
    let caption = HEADER + panels * PANEL + 34.0;
    put(format_args!(
        r##"<text x="{}" y="{caption}" text-anchor="middle" fill="#6b7280">lateness in milliseconds after the due time (logarithmic)</text>"##,
        f64::midpoint(LEFT, WIDTH - RIGHT)
    ));
    put(format_args!("</svg>"));
    out
}

fn panel(
    put: &mut impl FnMut(std::fmt::Arguments<'_>),
    axis: Axis,
    top: f64,
    color: &str,
    series: &Series<'_>,
) {
    let summary = summarize(&mut series.values.to_vec());
    let floor = top + ABOVE + BARS;
    put(format_args!(
        r#"<text x="{LEFT}" y="{}"><tspan font-weight="600">{}</tspan> · {} firings · p50 {} ms · p90 {} ms · p99 {} ms · max {} ms</text>"#,
        top + 16.0,
        escape(series.name),
        summary.count,
        summary.p50,
        summary.p90,
        summary.p99,
        summary.max
    ));
    let bars = bars(series.values);
    let tallest = bars.iter().copied().max().unwrap_or(0).max(1);
    for (share, anchor) in [(0.0, floor), (0.5, floor - BARS / 2.0), (1.0, floor - BARS)] {
        put(format_args!(
            r##"<line x1="{LEFT}" y1="{anchor:.1}" x2="{}" y2="{anchor:.1}" stroke="#e5e7eb"/>"##,
            WIDTH - RIGHT
        ));
        put(format_args!(
            r##"<text x="{}" y="{:.1}" text-anchor="end" fill="#6b7280">{}</text>"##,
            LEFT - 8.0,
            anchor + 4.0,
            thousands((tallest as f64 * share).round() as i64)
        ));
    }
    for (bar, &count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (from, to) = axis.bar(bar);
        // A bar with one firing among a million is still visible.
        let height = (count as f64 / tallest as f64 * BARS).max(1.5);
        put(format_args!(
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{height:.1}" fill="{color}" fill-opacity="0.75"><title>{}: {count}</title></rect>"#,
            from + 0.5,
            floor - height,
            to - from - 1.0,
            escape(&bar_name(bar))
        ));
    }
    put(format_args!(
        r##"<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="#6b7280">&lt;1</text>"##,
        LEFT + ZERO / 2.0,
        floor + 16.0
    ));
    let mut free_from = LEFT + ZERO;
    for edge in LABELLED {
        let x = axis.place(edge as f64);
        if x - LABEL / 2.0 < free_from || x + LABEL / 2.0 > WIDTH {
            continue;
        }
        free_from = x + LABEL / 2.0;
        put(format_args!(
            r##"<line x1="{x:.1}" y1="{floor:.1}" x2="{x:.1}" y2="{:.1}" stroke="#9ca3af"/><text x="{x:.1}" y="{:.1}" text-anchor="middle" fill="#6b7280">{}</text>"##,
            floor + 4.0,
            floor + 16.0,
            thousands(edge)
        ));
    }
    markers(put, axis, top, floor, summary);
}

/// Draws vertical lines at the percentiles. Lines that are close together share one name.
fn markers(
    put: &mut impl FnMut(std::fmt::Arguments<'_>),
    axis: Axis,
    top: f64,
    floor: f64,
    summary: Summary,
) {
    let y = top + ABOVE - 8.0;
    let mut names: Vec<(f64, String)> = Vec::new();
    for (name, value) in
        [("p50", summary.p50), ("p90", summary.p90), ("p99", summary.p99), ("max", summary.max)]
    {
        let x = axis.place(value as f64);
        put(format_args!(
            r##"<line x1="{x:.1}" y1="{:.1}" x2="{x:.1}" y2="{floor:.1}" stroke="#111827" stroke-dasharray="3 3"/>"##,
            y + 3.0
        ));
        match names.last_mut() {
            Some((at, together)) if x - *at < MARK * (together.matches(' ').count() + 1) as f64 => {
                together.push(' ');
                together.push_str(name);
            }
            _ => names.push((x, name.to_owned())),
        }
    }
    for (x, name) in names {
        put(format_args!(r#"<text x="{:.1}" y="{y:.1}" font-size="10">{name}</text>"#, x - 9.0));
    }
}

/// Returns the number of values in each bar. The first bar is below the first edge, and the last
/// has no upper edge.
fn bars(values: &[i64]) -> Vec<u64> {
    let mut bars = vec![0; EDGES.len() + 1];
    for &value in values {
        if let Some(bar) = bars.get_mut(EDGES.partition_point(|&edge| edge <= value)) {
            *bar += 1;
        }
    }
    bars
}

fn bar_name(bar: usize) -> String {
    let from = bar.checked_sub(1).and_then(|lower| EDGES.get(lower));
    match (from, EDGES.get(bar)) {
        (None, _) => "below 1 ms".to_owned(),
        (Some(from), Some(to)) => format!("{from} to <{to} ms"),
        (Some(from), None) => format!("{from} ms and more"),
    }
}

/// The horizontal axis: a place for less than 1 ms, followed by a logarithmic part up to an edge.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// The lateness at the right end, in milliseconds.
    most: f64,
}

impl Axis {
    /// Returns an axis for values up to `max`, and at least up to 100 ms, so that small pictures
    /// can be compared.
    fn up_to(max: i64) -> Self {
        let last = EDGES.last().copied().unwrap_or(1);
        let most = EDGES.iter().copied().find(|&edge| edge > max.max(99)).unwrap_or(last * 3 / 2);
        Self { most: most as f64 }
    }

    /// Returns the horizontal position of a lateness.
    fn place(self, millis: f64) -> f64 {
        let start = LEFT + ZERO;
        if millis < 1.0 {
            return LEFT + ZERO / 2.0;
        }
        start + (millis.min(self.most).log10() / self.most.log10()) * (WIDTH - RIGHT - start)
    }

    /// Returns the left and right position of a bar.
    fn bar(self, bar: usize) -> (f64, f64) {
        let right = EDGES.get(bar).map_or(WIDTH - RIGHT, |&edge| self.place(edge as f64));
        match bar.checked_sub(1).and_then(|lower| EDGES.get(lower)) {
            Some(&edge) => (self.place(edge as f64), right),
            None => (LEFT, right),
        }
    }
}

/// Returns a whole number that is not negative, with commas between its thousands.
fn thousands(value: i64) -> String {
    if value >= 1_000 {
        format!("{},{:03}", thousands(value / 1_000), value % 1_000)
    } else {
        value.to_string()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_well_formed_and_shows_each_series() {
        let shard = [-3, 0, 1, 1, 2, 5, 12, 120, 5_000_000];
        let series = [
            Series { name: "at the <shard> & \"more\"", values: &shard },
            Series { name: "at the receiver", values: &[700, 900] },
            Series { name: "webhook", values: &[] },
        ];
        let picture = histogram("herd & <co>", "seed 1", &series);
        let document = roxmltree::Document::parse(&picture).unwrap();
        assert_eq!(document.root_element().tag_name().name(), "svg");
        let text = |wanted: &str| {
            document
                .descendants()
                .filter(|node| node.is_text())
                .any(|node| node.text().unwrap_or("").contains(wanted))
        };
        assert!(
            text("at the <shard> & \"more\"")
                && text("at the receiver")
                && text("p99")
                && !text("webhook")
        );
        let bars = document.descendants().filter(|node| node.attribute("fill-opacity").is_some());
        let inside = |name: &str, node: &roxmltree::Node<'_, '_>| {
            node.attribute(name).unwrap().parse::<f64>().unwrap()
        };
        for bar in bars {
            let (x, width, height) =
                (inside("x", &bar), inside("width", &bar), inside("height", &bar));
            assert!(
                x >= LEFT
                    && x + width <= WIDTH - RIGHT
                    && width > 0.0
                    && (1.5..=BARS).contains(&height)
            );
        }
    }

    #[test]
    fn every_value_is_in_one_bar() {
        let values = [i64::MIN, -1, 0, 1, 2, 3, 99, 100, 100_000, i64::MAX];
        assert_eq!(bars(&values).iter().sum::<u64>(), values.len() as u64);
        assert_eq!(bars(&[0])[0], 1);
        assert_eq!(bars(&[1])[1], 1);
        let axis = Axis::up_to(70);
        assert_eq!(axis.bar(0).1, axis.bar(1).0);
    }

    #[test]
    fn the_axis_ends_after_the_largest_value() {
        assert_eq!(Axis::up_to(3).most, 100.0);
        assert_eq!(Axis::up_to(100).most, 140.0);
        assert_eq!(Axis::up_to(i64::MAX).most, 150_000.0);
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_picture_without_values_says_so() {
        let picture = histogram("t", "s", &[]);
        roxmltree::Document::parse(&picture).unwrap();
        assert!(picture.contains("nothing was received"));
    }
}
