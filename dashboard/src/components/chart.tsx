// Charts over time, drawn by uPlot. This is in the page's only script, because a script that is loaded later may fail to load while the
// scheduler is down.

import { useEffect, useRef, useState } from "preact/hooks";
import UPlot, { type AlignedData, type Options } from "uplot";
import { isDark } from "../state/theme";
import { short, whole } from "../lib/numbers";
import { fullTime, HERE } from "../lib/time";
import { Time } from "./basics";

export interface ChartSeries {
  label: string;
  /** A custom property of tokens.css, such as `--accent`. */
  color: string;
  values: readonly (number | null)[];
}

interface ChartProps {
  /** Describes in words what the chart shows. */
  label: string;
  /** Milliseconds since 1970. */
  times: readonly number[];
  series: readonly ChartSeries[];
  isBars?: boolean;
  /** Whether the bars of a time are stacked. The last series is at the bottom. */
  isStacked?: boolean;
  /** Whether values may be missing between others. A line then continues over the gap, and each value is a point. */
  hasGaps?: boolean;
  /** Formats a value. */
  show?: (value: number) => string;
  height?: number;
}

/**
 * Returns the drawn values of each series. A stacked bar is as high as it and those below it together, and they cover its lower
 * part. Bars of zero are not drawn.
 */
const drawnOf = (series: readonly ChartSeries[], isStacked: boolean): (number | null)[][] =>
  series.map(({ values }, index) => (isStacked ? values.map((_, at) => series.slice(index).reduce((sum, other) => sum + (other.values[at] ?? 0), 0) || null) : [...values]));

/** Returns the color of a custom property at an element, for a canvas. */
function colorOf(element: HTMLElement, property: string): string {
  element.style.color = `var(${property})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

/** Returns the time from one bar to the next, in seconds. */
const barWidth = ([first = 0, second = first]: ArrayLike<number> & Iterable<number>): number => second - first;

export function Chart({ label, times, series, isBars = false, isStacked = false, hasGaps = false, show = whole, height = 160 }: ChartProps) {
  const ref = useRef<HTMLDivElement>(null);
  /** The index of the values under the pointer. */
  const [pointed, setPointed] = useState<number | null>(null);
  const data: AlignedData = [times.map((time) => time / 1_000), ...drawnOf(series, isStacked)];
  const current = useRef(data);
  current.current = data;
  const plot = useRef<{ setData: (data: AlignedData) => void } | undefined>(undefined);

  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const muted = colorOf(element, "--muted");
    const line = colorOf(element, "--line");
    const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const options: Options = {
      width: element.clientWidth,
      height,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      hooks: { setCursor: [({ cursor }) => setPointed(cursor.idx ?? null)] },
      tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1_000), HERE),
      axes: [
        { ...axis, size: 28, values: [[3_600 * 24, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1], [3_600, "{HH}:{mm}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
        // The axis has room for six characters.
        { ...axis, size: 40, values: (_, splits) => splits.map((value) => (Number.isInteger(value) ? short(value) : String(value))) },
      ],
      scales: {
        // A bar begins at its time, so the last one needs room after it.
        ...(isBars ? { x: { range: (drawn: { data: AlignedData }, first: number, last: number) => [first, last + barWidth(drawn.data[0])] as [number, number] } } : {}),
        y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.1] },
      },
      series: [
        {},
        ...series.map(({ label: name, color }) => ({
          label: name,
          stroke: colorOf(element, color),
          width: 1.5,
          spanGaps: hasGaps,
          points: { show: hasGaps, size: 5, fill: colorOf(element, color) },
          ...(isBars && UPlot.paths.bars ? { fill: colorOf(element, color), paths: UPlot.paths.bars({ size: [0.8, 40], align: 1 }) } : {}),
        })),
      ],
    };
    const drawn = new UPlot(options, current.current, element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
      plot.current = undefined;
    };
  }, [isDark.value, series.length, isBars, hasGaps, height]);

  useEffect(() => plot.current?.setData(current.current));
  const at = pointed === null ? undefined : times[pointed];
  return (
    <figure class="chart">
      <div ref={ref} role="img" aria-label={label} style={{ height: `${height}px` }} />
      <figcaption class="legend">
        {series.map(({ label: name, color, values }) => (
          <span key={name}>
            <i style={{ background: `var(${color})` }} />
            {name}
            {at !== undefined && pointed !== null && <strong> {shown(values[pointed], show)}</strong>}
          </span>
        ))}
        <span>{at === undefined ? HERE : fullTime(at)}</span>
      </figcaption>
      <Numbers label={label} times={times} series={series} show={show} />
    </figure>
  );
}

const shown = (value: number | null | undefined, show: (value: number) => string): string => (value === null || value === undefined ? "–" : show(value));

/** Shows the values of a chart as a table, for users who cannot see the chart or point at it. */
function Numbers({ label, times, series, show }: Required<Pick<ChartProps, "label" | "times" | "series" | "show">>) {
  const [isOpen, setOpen] = useState(false);
  // Rows of zeros are omitted.
  const rows = isOpen ? times.map((time, index) => ({ time, index })).filter(({ index }) => series.some(({ values }) => values[index])) : [];
  return (
    <details class="numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="small">Numbers</summary>
      {isOpen && rows.length === 0 && <p class="muted small">All of them are zero.</p>}
      {rows.length > 0 && (
        <div class="scrolls" tabIndex={0} role="region" aria-label={`Numbers: ${label}`}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">From</th>
                {series.map(({ label: name }) => (
                  <th scope="col" class="number" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ time, index }) => (
                <tr key={time}>
                  <td>
                    <Time at={time} />
                  </td>
                  {series.map(({ label: name, values }) => (
                    <td class="number" key={name}>
                      {shown(values[index], show)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
