// How full something is: the share in figures, and a bar to compare rows by.

import { formatValue } from "../lib/units";
import css from "./Meter.module.css";

interface MeterProps {
  readonly label: string;
  readonly ratio: number | null | undefined;
  readonly warnFrom?: number;
  readonly badFrom?: number;
}

export function Meter({ label, ratio, warnFrom = 0.8, badFrom = 0.92 }: MeterProps) {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return <span className="dim">–</span>;
  const level = ratio >= badFrom ? css.bad : ratio >= warnFrom ? css.warn : "";
  return (
    <span className={css.meter}>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> each in their own way */}
      <span
        className={css.track}
        role="meter"
        aria-label={label}
        aria-valuenow={ratio}
        aria-valuemin={0}
        aria-valuemax={1}
      >
        <span
          className={`${css.fill} ${level}`}
          style={{ display: "block", width: `${Math.min(100, ratio * 100)}%` }}
        />
      </span>
      <span className={`number ${css.value}`}>{formatValue(ratio, "ratio")}</span>
    </span>
  );
}
