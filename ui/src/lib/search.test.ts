import { describe, expect, it } from "vitest";
import { listOf, parseSearch, stringifySearch, textOf } from "./search";

describe("what a URL says", () => {
  it("comes back as it was", () => {
    const search = { q: ['up{job="a&b"}', "rate(x[5m]) + 1"], from: "now-1h" };

    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });

  it("leaves out what is not set", () => {
    expect(stringifySearch({ from: undefined, to: "", q: [] })).toBe("");
  });

  it("is read as text or as a list, whichever a page needs", () => {
    const search = parseSearch("?q=a&q=b&view=table");

    expect([textOf(search, "q"), listOf(search, "q"), listOf(search, "view"), textOf(search, "none")]).toEqual([
      "a",
      ["a", "b"],
      ["table"],
      undefined,
    ]);
  });

  it("a name that objects have of themselves is only a name", () => {
    expect(textOf(parseSearch("?a=1"), "constructor")).toBeUndefined();
  });
});
