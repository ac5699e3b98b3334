// Which page is at which path. Each is fetched when it is first visited, or its link is pointed at.

import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  retainSearchParams,
} from "@tanstack/react-router";
import { Empty, ErrorNotice } from "../design/States";
import { listOf, parseSearch, stringifySearch, textOf } from "../lib/search";
import { Shell } from "./Shell";
import { type FrameSearch, frameSearch, KEPT } from "./search";

const root = createRootRoute({
  component: Shell,
  validateSearch: (search: Record<string, unknown>): FrameSearch => frameSearch(search),
  search: { middlewares: [retainSearchParams<FrameSearch>(KEPT)] },
  notFoundComponent: () => (
    <Empty title="There is no such page">
      <Link to="/">To the start page</Link>
    </Empty>
  ),
  errorComponent: ({ error }) => (
    <ErrorNotice
      error={error}
      title="This page has failed"
      action={<a href={location.pathname + location.search}>Load it again</a>}
    />
  ),
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("../pages/home/HomePage")),
});

export type ExploreView = "graph" | "table";

export interface ExploreSearch extends FrameSearch {
  q?: string[];
  view?: ExploreView;
}

const explore = createRoute({
  getParentRoute: () => root,
  path: "/explore",
  validateSearch: (search: Record<string, unknown>): ExploreSearch => ({
    ...frameSearch(search),
    ...(listOf(search, "q").length > 0 ? { q: listOf(search, "q") } : {}),
    ...(textOf(search, "view") === "table" ? { view: "table" } : {}),
  }),
  component: lazyRouteComponent(() => import("../pages/explore/ExplorePage")),
});

export interface TargetsSearch extends FrameSearch {
  pool?: string;
  health?: string;
  find?: string;
  target?: string;
}

const targets = createRoute({
  getParentRoute: () => root,
  path: "/targets",
  validateSearch: (search: Record<string, unknown>): TargetsSearch => {
    const found: TargetsSearch = frameSearch(search);
    for (const key of ["pool", "health", "find", "target"] as const) {
      const value = textOf(search, key);
      if (value) found[key] = value;
    }
    return found;
  },
  component: lazyRouteComponent(() => import("../pages/targets/TargetsPage")),
});

const hosts = createRoute({
  getParentRoute: () => root,
  path: "/hosts",
  component: lazyRouteComponent(() => import("../pages/hosts/HostsPage")),
});

export interface HostSearch extends FrameSearch {
  job?: string;
}

const host = createRoute({
  getParentRoute: () => root,
  path: "/hosts/$instance",
  validateSearch: (search: Record<string, unknown>): HostSearch => {
    const job = textOf(search, "job");
    return { ...frameSearch(search), ...(job ? { job } : {}) };
  },
  component: lazyRouteComponent(() => import("../pages/hosts/HostPage")),
});

const design = createRoute({
  getParentRoute: () => root,
  path: "/design",
  component: lazyRouteComponent(() => import("../pages/design/DesignPage")),
});

export const router = createRouter({
  routeTree: root.addChildren([home, explore, targets, hosts, host, design]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
