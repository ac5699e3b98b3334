// What is shown where there is nothing (yet): empty, loading, failed. Empty says what to do next; an error says which
// query failed, where in it, and why.

import type { ReactNode } from "react";
import { placeOfError } from "../lib/queryError";
import { Icon } from "./Icon";
import css from "./States.module.css";

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={css.state}>
      <p className={css.title}>{title}</p>
      {children && <div>{children}</div>}
    </div>
  );
}

export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <div className={css.loading} role="status">
      <span className={css.spinner} aria-hidden="true" />
      {what} …
    </div>
  );
}

export function ErrorNotice({ error, title, action }: { error: unknown; title?: string; action?: ReactNode }) {
  return (
    <div className={css.error} role="alert">
      <Icon name="bad" />
      <div className={css.body}>
        {title && <strong>{title}</strong>}
        <p>{error instanceof Error ? error.message : String(error)}</p>
        {action}
      </div>
    </div>
  );
}

export function Warnings({ texts }: { texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <div className={`${css.error} ${css.warning}`} role="status">
      <Icon name="warn" />
      <ul className={css.body}>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}

/** An error of a query, with the place that it names marked. */
export function QueryErrorNotice({ error, query }: { error: unknown; query: string }) {
  const text = error instanceof Error ? error.message : String(error);
  const place = placeOfError(text, query);
  if (place.offset === null) return <ErrorNotice error={error} title="This query failed" />;
  const end = Math.min(query.length, place.offset + 1);
  const marked = query.slice(place.offset, end) || " ";
  return (
    <div className={css.error} role="alert">
      <Icon name="bad" />
      <div className={css.body}>
        <strong>
          Line {place.line}, column {place.column}
        </strong>
        <p>{place.message}</p>
        <pre className={css.source}>
          {query.slice(0, place.offset)}
          <mark>{marked}</mark>
          {query.slice(end)}
        </pre>
      </div>
    </div>
  );
}
