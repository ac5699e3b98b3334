import { describe, expect, it } from "vitest";
import { matrixToCsv, rowsToCsv } from "./csv";

describe("CSV", () => {
  it("has a column for each series and leaves gaps empty", () => {
    const matrix = { timesMs: [0, 15_000], series: [{ labels: {}, values: [1, null] }], warnings: [] };

    expect(matrixToCsv(matrix, ["a,b"])).toBe(
      'time,"a,b"\r\n1970-01-01T00:00:00.000Z,1\r\n1970-01-01T00:00:15.000Z,\r\n',
    );
  });

  it("quotes quotes", () => {
    expect(rowsToCsv([['say "hi"']])).toBe('"say ""hi"""\r\n');
  });

  it("gives a spreadsheet no formula to run, and leaves numbers alone", () => {
    expect(rowsToCsv([["=1+1", "-5"]])).toBe("'=1+1,-5\r\n");
  });
});
