// The pages that the navigation and the command palette offer. A page adds itself here and its route in `router.tsx`.

import type { IconName } from "../design/Icon";

export interface PageEntry {
  readonly to: "/" | "/explore" | "/targets" | "/hosts" | "/design";
  readonly title: string;
  readonly icon: IconName;
  /** Further words that it is found by. */
  readonly keywords: string;
  readonly isHidden?: boolean;
}

export const PAGES: readonly PageEntry[] = [
  { to: "/", title: "Home", icon: "home", keywords: "start overview problems" },
  { to: "/explore", title: "Explore metrics", icon: "explore", keywords: "promql query graph chart" },
  { to: "/hosts", title: "Hosts", icon: "host", keywords: "machines servers cpu memory disk" },
  { to: "/targets", title: "Targets", icon: "target", keywords: "scrape jobs up down exporters" },
  { to: "/design", title: "Design system", icon: "design", keywords: "colours components", isHidden: true },
];
