// The icons, drawn in a 16 x 16 box with the text's colour. They stand beside words or carry a label.

const PATHS = {
  home: "M2.5 7.5 8 2.5l5.5 5M4 6.5V13h3V9.5h2V13h3V6.5",
  explore: "M2.5 2.5v11h11M5 10l2.5-3 2 2L13 4.5",
  target: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 3a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm0 2.6v.8",
  host: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01",
  design: "M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM11 9v4M9 11h4",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.5 10.5l3 3",
  clock: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 3v3.2l2.2 1.3",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  left: "M10 3 5 8l5 5",
  right: "m6 3 5 5-5 5",
  down: "m4 6 4 4 4-4",
  up: "m4 10 4-4 4 4",
  zoomOut: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.5 10.5l3 3M5 7h4",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  close: "m4 4 8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1.5V3M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
  user: "M8 2.5a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM3 13.5c.4-2.6 2.4-4 5-4s4.600 1.400 5 4",
  ok: "m3 8.500 3.200 3L13 4.500",
  warn: "M8 2.500 14 13H2ZM8 6.500V9.500M8 11.300v.01",
  bad: "M5.300 2h5.400L14 5.300v5.400L10.700 14H5.300L2 10.700V5.300ZM8 5v3.500M8 10.800v.01",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 5v4M8 5v.01",
  unknown:
    "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM6.200 6.300a1.800 1.800 0 1 1 2.600 1.600c-.6.300-.8.600-.8 1.300M8 11.300v.01",
  copy: "M5.500 5.500h8v8h-8zM3.500 10.500h-1v-8h8v1",
  link: "M6.500 9.500l3-3M7 4.500l1.500-1.500a2.500 2.500 0 0 1 3.500 3.500L10.500 8M9 11.500 7.500 13A2.500 2.500 0 0 1 4 9.500L5.500 8",
  download: "M8 2.500V10M5 7.500 8 10.500l3-3M3 13.500h10",
  eye: "M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8ZM8 6.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
