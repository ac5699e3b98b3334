// Series as CSV (RFC 4180): one column for the time, one for each series. Pure.

import type { Matrix } from "./matrix";

export function matrixToCsv(matrix: Matrix, names: readonly string[]): string {
  const lines = [["time", ...names].map(quoted).join(",")];
  matrix.timesMs.forEach((timeMs, step) => {
    const cells = matrix.series.map((series) => {
      const value = series.values[step];
      return value === null || value === undefined ? "" : String(value);
    });
    lines.push([new Date(timeMs).toISOString(), ...cells].join(","));
  });
  return `${lines.join("\r\n")}\r\n`;
}

export function rowsToCsv(rows: readonly (readonly string[])[]): string {
  return `${rows.map((row) => row.map(quoted).join(",")).join("\r\n")}\r\n`;
}

function quoted(text: string): string {
  // A spreadsheet would run a cell that begins like a formula.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
