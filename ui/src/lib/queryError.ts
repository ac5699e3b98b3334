// Where in a query an error is: Prometheus says `line:column: parse error: …`. Pure.

export interface QueryErrorPlace {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
  /** Offset into the query; null where the error names no place. */
  readonly offset: number | null;
}

const PLACED = /^(?:invalid parameter "query": )?(\d+):(\d+): (?:parse error: )?([\s\S]*)$/;

export function placeOfError(error: string, query: string): QueryErrorPlace {
  const found = PLACED.exec(error);
  if (!found) return { message: error, line: null, column: null, offset: null };
  const [, lineText, columnText, message] = found;
  const line = Number(lineText);
  const column = Number(columnText);
  const lines = query.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const offset = line <= lines.length ? Math.min(before + column - 1, query.length) : null;
  return { message: message ?? error, line, column, offset };
}
