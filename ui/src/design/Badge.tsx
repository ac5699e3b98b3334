// A state in a word, an icon and a colour: the colour is never alone.

import type { ReactNode } from "react";
import css from "./Badge.module.css";
import { Icon } from "./Icon";

export type Status = "ok" | "warn" | "bad" | "info" | "unknown";

export function Badge({ status, children }: { status: Status; children: ReactNode }) {
  return (
    <span className={`${css.badge} ${css[status] ?? ""}`}>
      <Icon name={status} size={12} />
      {children}
    </span>
  );
}
