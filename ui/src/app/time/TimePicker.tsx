// Chooses the time range: relative, absolute, moved, widened; how often it refreshes, in which zone, compared with what.

import { useState } from "react";
import { Button as AriaButton, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { Button, IconButton, Select, TextInput, Toggles } from "../../design/controls";
import { formatTime, parseTime, QUICK_RANGES, rangeLabel, resolveRange, type Zone } from "../../lib/time";
import type { Compare } from "../search";
import { REFRESHES, usePageTime } from "./TimeContext";
import css from "./TimePicker.module.css";

export function TimePicker() {
  const time = usePageTime();
  const [isOpen, setOpen] = useState(false);
  return (
    <fieldset className={css.bar} aria-label="Time range">
      <span className={css.optional}>
        <IconButton label="Earlier" icon="left" onPress={() => time.shift(-1)} />
      </span>
      <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
        <Button icon="clock">{rangeLabel(time.range, time.zone)}</Button>
        <Popover className={css.popover ?? ""} placement="bottom end">
          <Dialog aria-label="Time range">
            <RangeForm onDone={() => setOpen(false)} />
          </Dialog>
        </Popover>
      </DialogTrigger>
      <span className={css.optional}>
        <IconButton label="Later" icon="right" onPress={() => time.shift(1)} />
        <IconButton label="Twice as long" icon="zoomOut" onPress={time.widen} />
      </span>
      <IconButton label="Refresh now" icon="refresh" onPress={time.refreshNow} />
    </fieldset>
  );
}

function RangeForm({ onDone }: { onDone: () => void }) {
  const time = usePageTime();
  const shown = (text: string): string => (/^\d+$/.test(text) ? formatTime(Number(text), time.zone) : text);
  const [from, setFrom] = useState(shown(time.range.from));
  const [to, setTo] = useState(shown(time.range.to));
  const now = Date.now();
  const fault = (text: string): string | null =>
    parseTime(text, now, time.zone) === null ? "For example now-6h, or 2026-11-21 08:30" : null;
  const isBackwards = !fault(from) && !fault(to) && !resolveRange({ from, to }, now, time.zone);
  const apply = (): void => {
    if (fault(from) || fault(to) || isBackwards) return;
    // Dates become milliseconds, so that a link means the same moment to somebody in another zone.
    const fixed = (text: string): string =>
      text.trim().startsWith("now") ? text.trim().replaceAll(" ", "") : String(parseTime(text, now, time.zone));
    time.set({ from: fixed(from), to: fixed(to) });
    onDone();
  };
  return (
    <div className={css.pop}>
      <form
        className={css.part}
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <TextInput label="From" value={from} onChange={setFrom} error={fault(from)} />
        <TextInput
          label="To"
          value={to}
          onChange={setTo}
          error={fault(to) ?? (isBackwards ? "This is not after the beginning" : null)}
        />
        <Button type="submit" look="primary">
          Apply
        </Button>
        <Select
          label="Refresh"
          value={time.refresh}
          onChange={(refresh) => time.set({ refresh })}
          choices={REFRESHES.map(({ id, label }) => ({ id, label }))}
        />
        <Select<Compare | "none">
          label="Compare with"
          value={time.compare ?? "none"}
          onChange={(compare) =>
            time.set({ compare: compare === "none" ? undefined : compare } as { compare?: Compare })
          }
          choices={[
            { id: "none", label: "Nothing" },
            { id: "day", label: "The day before" },
            { id: "week", label: "The week before" },
          ]}
        />
        <Toggles<Zone>
          label="Time zone"
          value={time.zone}
          onChange={(tz) => time.set({ tz })}
          choices={[
            { id: "local", label: "Local time" },
            { id: "utc", label: "UTC" },
          ]}
        />
      </form>
      <div className={css.quick}>
        {QUICK_RANGES.map((quick) => (
          <AriaButton
            key={quick.from}
            className={css.quickItem ?? ""}
            aria-current={quick.from === time.range.from && quick.to === time.range.to}
            onPress={() => {
              time.set({ from: quick.from, to: quick.to });
              onDone();
            }}
          >
            {quick.label}
          </AriaButton>
        ))}
      </div>
    </div>
  );
}
