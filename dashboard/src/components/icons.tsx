// Icons of 16 pixels, each a stroke in the color of the text.

const PATHS = {
  overview: "M2.5 13.5v-5M6.2 13.5v-9M9.8 13.5v-7M13.5 13.5v-11",
  tasks: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  agenda: "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3",
  runs: "M2.5 8h2l2-5 3 10 2-5h2",
  dead: "M8 2.5 14 13.5H2zM8 6.5v3M8 11.5h.01",
  limits: "M2.5 12.5a5.5 5.5 0 1 1 11 0M8 12.5l2.5-4",
  calendars: "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3M6.3 8.500l3.4 3.400M9.7 8.500l-3.4 3.400",
  namespaces: "M2.5 5 8 2.5 13.5 5 8 7.5zM2.5 8 8 10.5 13.5 8M2.5 11 8 13.5 13.5 11",
  keys: "M7.5 8.5a3 3 0 1 1 1-1l5 5v1.5h-2v-1.5h-1.500v-1.500z",
  create: "M8 3v10M3 8h10",
  search: "M11.5 11.5 14 14M12.5 7.200a5.3 5.3 0 1 1-10.6 0 5.3 5.3 0 0 1 10.6 0z",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  close: "M4 4l8 8M12 4l-8 8",
  play: "M5 3.500v9l7-4.500z",
  pause: "M5.5 3.500v9M10.5 3.500v9",
  copy: "M5.5 5.500h7v8h-7zM10.5 5.500v-3h-7v8h2",
  right: "M6 3.5 10.5 8 6 12.5",
  light: "M8 5.500a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8 1.500v1.500M8 13v1.500M1.5 8h1.500M13 8h1.500M3.4 3.400l1 1M11.6 11.600l1 1M12.6 3.400l-1 1M4.4 11.600l-1 1",
  out: "M6.5 2.500h-4v11h4M10 5l3 3-3 3M13 8H6.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
