// Charts over time, drawn by uPlot. This is in the page's only script, because a script that is loaded later may fail to load while the
// scheduler is down.

import { useEffect, useRef } from "preact/hooks";
import UPlot, { type AlignedData, type Options } from "uplot";
import { isDark } from "../state/theme";
import { HERE } from "../lib/time";

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
  /** Whether values may be missing between others. A line then continues over the gap, and each value is a point. */
  hasGaps?: boolean;
  height?: number;
}

/** Returns the color of a custom property at an element, for a canvas. */
function colorOf(element: HTMLElement, property: string): string {
  element.style.color = `var(${property})`;
  const { color } = getComputedStyle(element);
  element.style.color = "";
  return color;
}

/** Returns the time from one bar to the next, in seconds. */
const barWidth = ([first = 0, second = first]: ArrayLike<number> & Iterable<number>): number => second - first;

export function Chart({ label, times, series, isBars = false, hasGaps = false, height = 160 }: ChartProps) {
  const ref = useRef<HTMLDivElement>(null);
  const data: AlignedData = [times.map((time) => time / 1_000), ...series.map(({ values }) => [...values])];
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
      cursor: { show: false },
      tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1_000), HERE),
      axes: [
        { ...axis, size: 28, values: [[3_600 * 24, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1], [3_600, "{HH}:{mm}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1]] },
        { ...axis, size: 40 },
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
          points: { show: hasGaps, size: 4, fill: colorOf(element, color) },
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
  return (
    <figure class="chart">
      <div ref={ref} role="img" aria-label={label} style={{ height: `${height}px` }} />
      <figcaption class="legend">
        {series.map(({ label: name, color }) => (
          <span key={name}>
            <i style={{ background: `var(${color})` }} />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
