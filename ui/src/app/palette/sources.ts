// The palette's first sources: pages, actions, metrics, targets, hosts.

import { getMetricNames, getTargets, queryInstant } from "../../api/prometheus";
import { chooseTheme } from "../../design/theme";
import { selectorOf } from "../../lib/labels";
import { PAGES } from "../pages";
import { type Command, registerCommands } from "./registry";

registerCommands({
  group: "Pages",
  isShownAtFirst: true,
  load: () =>
    PAGES.map(({ to, title, icon, keywords }) => ({
      id: to,
      title,
      icon,
      keywords,
      run: ({ navigate }) => navigate(to),
    })),
});

registerCommands({
  group: "Actions",
  isShownAtFirst: true,
  load: (): Command[] => [
    { id: "refresh", title: "Refresh", icon: "refresh", keywords: "reload update", run: ({ refresh }) => refresh() },
    { id: "light", title: "Light theme", icon: "sun", keywords: "colour mode", run: () => chooseTheme("light") },
    { id: "dark", title: "Dark theme", icon: "moon", keywords: "colour mode", run: () => chooseTheme("dark") },
    { id: "system", title: "Theme of the system", icon: "sun", keywords: "auto", run: () => chooseTheme("system") },
    { id: "logout", title: "Log out", icon: "user", keywords: "end session", run: ({ logOut }) => logOut() },
  ],
});

registerCommands({
  group: "Targets",
  load: async (signal) =>
    (await getTargets(signal)).activeTargets.map((target) => ({
      id: `${target.scrapePool} ${target.scrapeUrl}`,
      title: target.labels.instance ?? target.scrapeUrl,
      detail: `${target.scrapePool} · ${target.health}`,
      keywords: target.scrapeUrl,
      icon: "target",
      run: ({ navigate }) => navigate("/targets", { pool: target.scrapePool, target: target.scrapeUrl }),
    })),
});

registerCommands({
  group: "Hosts",
  load: async (signal) =>
    (await queryInstant("node_boot_time_seconds", Date.now(), signal)).samples.map(({ labels }) => ({
      id: `${labels.job} ${labels.instance}`,
      title: labels.instance ?? "",
      detail: labels.job ?? "",
      icon: "host",
      run: ({ navigate }) => navigate(`/hosts/${encodeURIComponent(labels.instance ?? "")}`, { job: labels.job }),
    })),
});

registerCommands({
  group: "Metrics",
  load: async (signal) =>
    (await getMetricNames(signal)).map((name) => ({
      id: name,
      title: name,
      icon: "explore",
      run: ({ navigate }) => navigate("/explore", { q: selectorOf({ __name__: name }) }),
    })),
});
