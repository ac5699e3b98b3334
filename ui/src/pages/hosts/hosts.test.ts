import { expect, it } from "vitest";
import { hostsOf } from "./hosts";

const labels = (instance: string) => ({ job: "node", instance });

it("a host is put together from all answers that know it", () => {
  const hosts = hostsOf(
    {
      cpu: [{ labels: labels("b"), timeMs: 0, value: 0.2 }],
      load: [
        { labels: labels("b"), timeMs: 0, value: 2 },
        { labels: labels("a"), timeMs: 0, value: 1 },
      ],
    },
    { cpu: { timesMs: [0, 1], series: [{ labels: labels("b"), values: [0.1, null] }], warnings: [] } },
  );

  expect(hosts.map(({ name, now, history }) => ({ name, now, history }))).toEqual([
    { name: "a", now: { load: 1 }, history: {} },
    { name: "b", now: { cpu: 0.2, load: 2 }, history: { cpu: [0.1, null] } },
  ]);
});

it("a host that was there and is gone is known by its history", () => {
  const past = { timesMs: [0], series: [{ labels: labels("old"), values: [0.1] }], warnings: [] };

  expect(hostsOf({}, { cpu: past }).map(({ name }) => name)).toEqual(["old"]);
});
