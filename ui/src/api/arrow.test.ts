import { describe, expect, it } from "vitest";
import { decodeMatrix } from "./arrow";
// Made by vedette.wire.arrow_answer.encode_matrix: times 1000, 2000, 3000; job="a" has 1, nothing, 3; job="b" nothing,
// NaN, nothing; one warning.
import fixture from "./arrow.fixture.json";

const bytes = (name: keyof typeof fixture): Uint8Array => new Uint8Array(Buffer.from(fixture[name], "base64"));

describe("a range query's answer", () => {
  it("is one row of values for each series, with gaps where there are no samples", () => {
    expect(decodeMatrix(bytes("twoSeries"), 1000, 3000, 1000)).toEqual({
      timesMs: [1000, 2000, 3000],
      series: [
        { labels: { job: "a" }, values: [1, null, 3] },
        { labels: { job: "b" }, values: [null, Number.NaN, null] },
      ],
      warnings: ["careful"],
    });
  });

  it("may be empty", () => {
    const { series, timesMs } = decodeMatrix(bytes("noSeries"), 1000, 3000, 1000);

    expect([series, timesMs]).toEqual([[], [1000, 2000, 3000]]);
  });
});
