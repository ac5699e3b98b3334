// A field for PromQL: completion of metrics, labels, values and functions with their help, and errors underlined while
// one types.
//
// CodeMirror brings its styles along and would put them into a `<style>` element, which the Content-Security-Policy
// forbids. In a shadow root it uses a constructed style sheet instead, which is allowed.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "react";
import css from "./QueryEditor.module.css";
import { editorTheme, highlighting } from "./queryEditorTheme";

export interface QueryEditorProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Enter, or Ctrl-Enter while completions are shown. */
  readonly onRun: (value: string) => void;
  readonly autoFocus?: boolean;
}

export default function QueryEditor({ label, value, onChange, onRun, autoFocus = false }: QueryEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const callbacks = useRef({ onChange, onRun });
  callbacks.current = { onChange, onRun };
  const initial = useRef({ value, autoFocus });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const language = new PromQLExtension().setComplete({
      remote: { url: "", httpMethod: "GET", fetchFn: (input, init) => fetch(input, init), cache: { maxAge: 60_000 } },
      maxMetricsMetadata: 20_000,
    });
    const run = (editor: EditorView): boolean => {
      callbacks.current.onRun(editor.state.doc.toString());
      return true;
    };
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: initial.current.value,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          // No delay before Enter takes a completion: until then it would run a query that is half a name.
          autocompletion({ icons: false, activateOnTyping: true, interactionDelay: 0 }),
          syntaxHighlighting(highlighting),
          language.asExtension(),
          placeholder('A PromQL query, for example  rate(node_cpu_seconds_total{mode="user"}[1m])'),
          editorTheme,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) callbacks.current.onChange(update.state.doc.toString());
          }),
          Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
          keymap.of([...completionKeymap, ...closeBracketsKeymap, ...historyKeymap, ...lintKeymap]),
          keymap.of([
            { key: "Shift-Enter", run: insertNewlineAndIndent },
            { key: "Enter", run },
          ]),
          keymap.of(defaultKeymap),
        ],
      }),
    });
    view.current = editor;
    if (initial.current.autoFocus) editor.focus();
    return () => {
      view.current = null;
      editor.destroy();
      language.destroy();
    };
  }, [label]);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  return <div ref={host} className={css.host} />;
}
