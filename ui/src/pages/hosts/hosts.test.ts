import { expect, it } from "vitest";
import { hostsOf } from "./hosts";

const matrix = (...series: { labels: Record<string, string>; values: (number | null)[] }[]) => ({
  timesMs: [0, 1],
  series,
  warnings: [],
});

it("a host is put together from all answers that know it, with its last known values", () => {
  const hosts = hostsOf({
    cpu: matrix({ labels: { job: "node", instance: "b" }, values: [0.2, null] }),
    load: matrix(
      { labels: { job: "node", instance: "b" }, values: [1, 2] },
      { labels: { job: "node", instance: "a" }, values: [null, null] },
    ),
  });

  expect(hosts.map(({ name, now }) => ({ name, now }))).toEqual([
    { name: "a", now: {} },
    { name: "b", now: { cpu: 0.2, load: 2 } },
  ]);
});
