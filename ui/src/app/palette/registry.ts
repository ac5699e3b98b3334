// What the command palette finds. Pages and later capabilities add sources; the palette knows none of them by name.

import type { IconName } from "../../design/Icon";

export interface CommandContext {
  readonly navigate: (to: string, search?: Record<string, unknown>) => void;
  readonly refresh: () => void;
  readonly logOut: () => void;
}

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly detail?: string;
  readonly icon: IconName;
  /** Further words that it is found by. */
  readonly keywords?: string;
  readonly run: (context: CommandContext) => void;
}

export interface CommandSource {
  readonly group: string;
  /** All commands, or those that fit what was typed; asked once each time the palette is opened. */
  readonly load: (signal: AbortSignal) => Promise<readonly Command[]> | readonly Command[];
  /** Shown before anything is typed. */
  readonly isShownAtFirst?: boolean;
}

const sources: CommandSource[] = [];

export function registerCommands(source: CommandSource): void {
  sources.push(source);
}

export const commandSources = (): readonly CommandSource[] => sources;

const SHOWN_PER_GROUP = 8;

/** The commands that contain all words that were typed, those whose titles begin with them first. */
export function findCommands(commands: readonly Command[], typed: string, limit = SHOWN_PER_GROUP): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found: { command: Command; rank: number }[] = [];
  for (const command of commands) {
    const title = command.title.toLowerCase();
    const text = `${title} ${command.detail?.toLowerCase() ?? ""} ${command.keywords?.toLowerCase() ?? ""}`;
    if (!words.every((word) => text.includes(word))) continue;
    const [first = ""] = words;
    const rank = title.startsWith(first) ? 0 : title.includes(first) ? 1 : 2;
    found.push({ command, rank });
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ command }) => command);
}
