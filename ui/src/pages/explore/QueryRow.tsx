// One query: its editor, and what can be done with it.

import { useState } from "react";
import { formatQuery } from "../../api/prometheus";
import { ActionMenu, Button, IconButton, type MenuAction } from "../../design/controls";
import { QueryEditor } from "../../design/LazyQueryEditor";
import css from "./ExplorePage.module.css";

interface QueryRowProps {
  readonly letter: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onRun: (text: string) => void;
  readonly onRemove: (() => void) | null;
  readonly autoFocus: boolean;
}

export function QueryRow({ letter, text, onChange, onRun, onRemove, autoFocus }: QueryRowProps) {
  const [isFormatting, setFormatting] = useState(false);
  const format = async (): Promise<void> => {
    setFormatting(true);
    try {
      onChange(await formatQuery(text));
    } catch {
      // A query that cannot be read is not formatted; running it says where it is wrong.
      onRun(text);
    } finally {
      setFormatting(false);
    }
  };
  const actions: MenuAction[] = [
    { id: "format", label: "Format", icon: "menu", onAction: format },
    {
      id: "copy",
      label: "Copy",
      icon: "copy",
      onAction: () => navigator.clipboard?.writeText(text).catch(() => undefined),
    },
    ...(onRemove ? [{ id: "remove", label: "Remove", icon: "close", onAction: onRemove } as const] : []),
  ];
  return (
    <div className={css.query}>
      <span className={css.letter} aria-hidden="true">
        {letter}
      </span>
      <QueryEditor label={`Query ${letter}`} value={text} onChange={onChange} onRun={onRun} autoFocus={autoFocus} />
      <Button look="primary" onPress={() => onRun(text)} isDisabled={isFormatting}>
        Run
      </Button>
      <ActionMenu label={`Actions of query ${letter}`} actions={actions}>
        <IconButton label={`More for query ${letter}`} icon="more" />
      </ActionMenu>
    </div>
  );
}
