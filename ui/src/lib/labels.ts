// Label sets as text: whole, and shortened to what tells the series of one chart apart. Pure.

export type Labels = Readonly<Record<string, string>>;

export function formatLabels(labels: Labels): string {
  const name = labels.__name__ ?? "";
  const pairs = Object.entries(labels)
    .filter(([key]) => key !== "__name__")
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length > 0 ? `${name}{${pairs.join(", ")}}` : name || "{}";
}

/** Names for the series of one chart: without the labels that all of them share. */
export function shortNames(all: readonly Labels[]): string[] {
  if (all.length < 2) return all.map((labels) => formatLabels(labels));
  const [first, ...others] = all;
  const shared = new Set(
    Object.entries(first ?? {})
      .filter(([key, value]) => others.every((labels) => labels[key] === value))
      .map(([key]) => key),
  );
  return all.map((labels) => {
    const rest = Object.fromEntries(Object.entries(labels).filter(([key]) => !shared.has(key)));
    const own = Object.entries(rest).filter(([key]) => key !== "__name__");
    const [only] = own;
    // One label is enough to know a series by its value.
    if (own.length === 1 && only && !rest.__name__) return only[1] || "(empty)";
    return formatLabels(rest);
  });
}

/** A selector that finds exactly the series with these labels. */
export function selectorOf(labels: Labels): string {
  const name = labels.__name__ ?? "";
  const pairs = Object.entries(labels)
    .filter(([key]) => key !== "__name__")
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length > 0 ? `${name}{${pairs.join(",")}}` : name;
}
