import { expect, it } from "vitest";
import { hostCharts, hostMatchers } from "./hostCharts";

it("every chart of a host asks for this host alone", () => {
  const charts = hostCharts("node", 'a"b');

  for (const { expr } of charts) {
    const selectors = expr.match(/\{[^}]*\}/g) ?? [];
    expect(selectors.length).toBeGreaterThan(0);
    for (const selector of selectors) expect(selector).toContain('job="node",instance="a\\"b"');
  }
});

it("a host whose job is not known is found by its instance", () => {
  expect(hostMatchers("", "vm")).toBe('instance="vm"');
});
