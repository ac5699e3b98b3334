import { describe, expect, it } from "vitest";
import { type Command, findCommands } from "./registry";

const command = (title: string, keywords = ""): Command => ({
  id: title,
  title,
  keywords,
  icon: "home",
  run: () => undefined,
});

describe("finding a command", () => {
  it("all words have to be there, in any order", () => {
    const found = findCommands([command("Dark theme"), command("Light theme")], "theme dark");

    expect(found.map(({ title }) => title)).toEqual(["Dark theme"]);
  });

  it("titles that begin with what was typed come first, keywords last", () => {
    const commands = [command("Zone", "host"), command("Show a host"), command("Hosts")];

    expect(findCommands(commands, "host").map(({ title }) => title)).toEqual(["Hosts", "Show a host", "Zone"]);
  });

  it("shows no more than a few", () => {
    const commands = Array.from({ length: 50 }, (_, at) => command(`metric_${at}`));

    expect(findCommands(commands, "metric", 8)).toHaveLength(8);
  });
});
