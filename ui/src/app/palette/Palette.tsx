// Ctrl-K: goes anywhere and does anything by typing a part of its name.

import { useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Autocomplete, Header, Input, Menu, MenuItem, MenuSection, SearchField } from "react-aria-components";
import { logOut } from "../../api/session";
import { Dialog } from "../../design/controls";
import { Icon } from "../../design/Icon";
import { usePageTime } from "../time/TimeContext";
import css from "./Palette.module.css";
import { type CommandContext, commandSources, findCommands } from "./registry";
import "./sources";

export function Palette({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  useEffect(() => {
    const toggle = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      onOpenChange(!isOpen);
    };
    // Before the query editor, to which Ctrl-K means something else.
    window.addEventListener("keydown", toggle, { capture: true });
    return () => window.removeEventListener("keydown", toggle, { capture: true });
  }, [isOpen, onOpenChange]);
  return (
    <Dialog label="Command palette" isOpen={isOpen} onOpenChange={onOpenChange} isBare>
      <Finder onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

function Finder({ onDone }: { onDone: () => void }) {
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const { refreshNow } = usePageTime();
  const sources = commandSources();
  const results = useQueries({
    queries: sources.map((source) => ({
      queryKey: ["palette", source.group],
      queryFn: async ({ signal }: { signal: AbortSignal }) => source.load(signal),
      staleTime: 30_000,
    })),
  });
  const groups = sources.flatMap((source, index) => {
    if (!typed.trim() && !source.isShownAtFirst) return [];
    const commands = findCommands(results[index]?.data ?? [], typed);
    return commands.length > 0 ? [{ name: source.group, commands }] : [];
  });
  const context: CommandContext = {
    navigate: (to, search) => navigate({ to, ...(search ? { search } : {}) } as never),
    refresh: refreshNow,
    logOut: () => logOut().then(() => location.assign("/login")),
  };
  return (
    <div className={css.box}>
      <Autocomplete inputValue={typed} onInputChange={setTyped}>
        <SearchField className={css.search ?? ""} aria-label="Find a page, metric, target or action" autoFocus>
          <Icon name="search" />
          <Input className={css.input ?? ""} placeholder="Find a page, metric, target or action" />
          <kbd>Esc</kbd>
        </SearchField>
        <Menu
          className={css.menu ?? ""}
          aria-label="Found"
          items={groups}
          renderEmptyState={() => <p className={css.none}>Nothing is called that.</p>}
        >
          {(group) => (
            <MenuSection id={group.name} items={group.commands}>
              <Header className={css.group ?? ""}>{group.name}</Header>
              {group.commands.map((command) => (
                <MenuItem
                  key={command.id}
                  id={`${group.name} ${command.id}`}
                  textValue={command.title}
                  className={css.item ?? ""}
                  onAction={() => {
                    onDone();
                    command.run(context);
                  }}
                >
                  <Icon name={command.icon} />
                  <span className={css.title}>{command.title}</span>
                  {command.detail && <span className={css.detail}>{command.detail}</span>}
                </MenuItem>
              ))}
            </MenuSection>
          )}
        </Menu>
      </Autocomplete>
    </div>
  );
}
