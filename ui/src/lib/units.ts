// Numbers with units, short enough for a table cell and exact enough to act on. Pure.

export type Unit = "number" | "bytes" | "bytes/s" | "seconds" | "ratio" | "percent" | "per second" | "timestamp";

const SI = ["", "k", "M", "G", "T", "P"] as const;
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Three significant digits, without needless zeros; what is not a number is said in words. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return String(Number(size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toPrecision(3)));
}

function scaled(value: number, base: number, units: readonly string[], gap: string): string {
  let rank = 0;
  let rest = value;
  // 999.6 would be shown as 1000.
  while (Math.abs(rest) >= base - 0.5 && rank < units.length - 1) {
    rest /= base;
    rank += 1;
  }
  const unit = units[rank] ?? "";
  return unit ? `${digits(rest)}${gap}${unit}` : digits(rest);
}

function seconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${digits(value * 1e6)} µs`;
  if (size < 1) return `${digits(value * 1e3)} ms`;
  if (size < 120) return `${digits(value)} s`;
  if (size < 7200) return `${digits(value / 60)} min`;
  if (size < 172_800) return `${digits(value / 3600)} h`;
  return `${digits(value / 86_400)} d`;
}

export function formatValue(value: number, unit: Unit = "number"): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  switch (unit) {
    case "bytes":
      return scaled(value, 1024, BINARY, " ");
    case "bytes/s":
      return `${scaled(value, 1024, BINARY, " ")}/s`;
    case "seconds":
      return seconds(value);
    case "ratio":
      return `${digits(value * 100)} %`;
    case "percent":
      return `${digits(value)} %`;
    case "per second":
      return `${tiny(value) ?? scaled(value, 1000, SI, " ")}/s`;
    case "timestamp":
      return new Date(value * 1000).toISOString().replace("T", " ").slice(0, 19);
    case "number":
      return tiny(value) ?? scaled(value, 1000, SI, " ");
  }
}

function tiny(value: number): string | null {
  return value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(2) : null;
}

const AGGREGATES_KEEP_UNIT =
  /^(?:sum|avg|min|max|topk|bottomk|quantile|increase|delta|last_over_time|avg_over_time|max_over_time|min_over_time)$/;
const RATES = new Set(["rate", "irate", "deriv"]);
const COUNTS = new Set([
  "count",
  "count_values",
  "count_over_time",
  "absent",
  "present_over_time",
  "changes",
  "resets",
]);

/**
 * What an expression's values probably are, by the ends of its metric names (`_bytes`, `_seconds`, …) and the functions
 * around them. Only what is plain is guessed: an expression that divides or multiplies is a number.
 */
export function guessUnit(expr: string): Unit {
  const bare = expr.replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, " ");
  if (/[*/%^]|\b(?:==|!=|<|>)\b/.test(bare)) return /\*\s*100\b|\b100\s*[*-]/.test(bare) ? "percent" : "number";
  const words = bare.match(/[a-zA-Z_:][\w:]*/g) ?? [];
  const functions = words.filter((word) => bare.includes(`${word}(`) || bare.includes(`${word} (`));
  if (functions.some((name) => COUNTS.has(name))) return "number";
  const rated = functions.some((name) => RATES.has(name));
  const quantile = functions.includes("histogram_quantile");
  const units = new Set(
    words.filter((word) => !functions.includes(word) && !AGGREGATES_KEEP_UNIT.test(word)).map(unitOfName),
  );
  const [unit] = units;
  if (units.size !== 1 || unit === undefined) return "number";
  if (quantile) return unit;
  if (!rated) return unit;
  if (unit === "bytes") return "bytes/s";
  // Seconds per second: a share of the time.
  return unit === "seconds" ? "ratio" : "per second";
}

function unitOfName(name: string): Unit {
  const base = name.replace(/_(?:total|sum|bucket)$/, "");
  if (/_count$/.test(base)) return "number";
  if (/_bytes$/.test(base)) return "bytes";
  if (/_timestamp_seconds$|_time_seconds$/.test(base) && !/_total$/.test(name)) return "timestamp";
  if (/_seconds$/.test(base)) return "seconds";
  if (/_ratio$/.test(base)) return "ratio";
  if (/_percent$/.test(base)) return "percent";
  return "number";
}
