// A chart as a file: PNG with its title and legend, or CSV.

import type uPlot from "uplot";
import { colour, seriesLook } from "./plot";

const MAX_LEGEND_ROWS = 12;

export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Firefox reads the URL after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function fileName(title: string, extension: string): string {
  const plain = title
    .replace(/[^\w.-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${plain || "chart"}.${extension}`;
}

export function chartToPng(plot: uPlot, title: string, names: readonly string[]): Promise<Blob | null> {
  const scale = devicePixelRatio;
  const rows = names.slice(0, MAX_LEGEND_ROWS);
  const top = title ? 32 * scale : 8 * scale;
  const source = plot.ctx.canvas;
  const canvas = document.createElement("canvas");
  canvas.width = source.width;
  canvas.height = source.height + top + (rows.length * 18 + 12) * scale;
  const context = canvas.getContext("2d");
  if (!context) return Promise.resolve(null);
  context.fillStyle = colour("--surface");
  context.fillRect(0, 0, canvas.width, canvas.height);
  const font = getComputedStyle(document.body).fontFamily;
  context.fillStyle = colour("--ink");
  context.font = `600 ${14 * scale}px ${font}`;
  if (title) context.fillText(title, 12 * scale, 21 * scale);
  context.drawImage(source, 0, top);
  context.font = `${11 * scale}px ${font}`;
  rows.forEach((name, index) => {
    const y = top + source.height + (index * 18 + 12) * scale;
    context.fillStyle = colour(seriesLook(index).variable);
    context.fillRect(12 * scale, y - 4 * scale, 14 * scale, 3 * scale);
    context.fillStyle = colour("--ink");
    const more =
      index === rows.length - 1 && names.length > rows.length ? ` … and ${names.length - rows.length} more` : "";
    context.fillText(name + more, 34 * scale, y);
  });
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
