import { describe, expect, it } from "vitest";
import { formatLabels, selectorOf, shortNames } from "./labels";

describe("label sets as text", () => {
  it("quotes values as a query would", () => {
    expect(formatLabels({ __name__: "up", job: 'a "b"' })).toBe('up{job="a \\"b\\""}');
  });

  it("an empty one can still be seen", () => {
    expect(formatLabels({})).toBe("{}");
  });

  it("a selector finds the series again", () => {
    expect(selectorOf({ __name__: "up", job: "node", instance: "a" })).toBe('up{job="node",instance="a"}');
  });
});

describe("short names", () => {
  it("leave out what all series share", () => {
    const names = shortNames([
      { __name__: "up", job: "node", instance: "a" },
      { __name__: "up", job: "node", instance: "b" },
    ]);

    expect(names).toEqual(["a", "b"]);
  });

  it("keep label names where several labels differ", () => {
    const names = shortNames([
      { job: "node", instance: "a" },
      { job: "db", instance: "b" },
    ]);

    expect(names).toEqual(['{job="node", instance="a"}', '{job="db", instance="b"}']);
  });

  it("a single series keeps its whole name", () => {
    expect(shortNames([{ __name__: "up", job: "node" }])).toEqual(['up{job="node"}']);
  });
});
