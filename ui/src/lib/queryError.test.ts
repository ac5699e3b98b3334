import { describe, expect, it } from "vitest";
import { placeOfError } from "./queryError";

describe("where an error is", () => {
  it("is found in the first line", () => {
    const place = placeOfError('invalid parameter "query": 1:14: parse error: unexpected ")"', "sum(rate(x[5m)");

    expect(place).toEqual({ message: 'unexpected ")"', line: 1, column: 14, offset: 13 });
  });

  it("is found in a later line", () => {
    expect(placeOfError("2:3: parse error: no", "sum(\n  )").offset).toBe(7);
  });

  it("is nowhere where the error does not say", () => {
    expect(placeOfError("query timed out", "up")).toEqual({
      message: "query timed out",
      line: null,
      column: null,
      offset: null,
    });
  });

  it("is within the query even where the error points beyond it", () => {
    expect(placeOfError("1:99: parse error: unexpected end", "sum(").offset).toBe(4);
    expect(placeOfError("9:1: parse error: unexpected end", "sum(").offset).toBeNull();
  });
});
