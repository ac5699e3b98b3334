// The query editor is large and is fetched when it is first needed; meanwhile the query stands in a plain field.

import { lazy, Suspense } from "react";
import css from "./controls.module.css";
import type { QueryEditorProps } from "./QueryEditor";

const Editor = lazy(() => import("./QueryEditor"));

export function QueryEditor(props: QueryEditorProps) {
  return (
    <Suspense fallback={<input className={css.input} aria-label={props.label} value={props.value} readOnly />}>
      <Editor {...props} />
    </Suspense>
  );
}
