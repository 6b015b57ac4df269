// The text of the design: an editor with the mistakes below their lines.

import { EditorState, StateEffect, StateField, Transaction } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, drawSelection, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { classHighlighter } from "@lezer/highlight";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { make, sentences } from "./dom.js";

const marked = StateEffect.define();

class Below extends WidgetType {
  constructor(mistakes) { super(); this.mistakes = mistakes; }
  eq(other) { return JSON.stringify(this.mistakes) === JSON.stringify(other.mistakes); }
  toDOM() {
    return make("div", { className: "cm-under" }, this.mistakes.map(({ message, help }) => make("div", {}, sentences(message, ""), make("b", {}, sentences(help, "")))));
  }
}

/** The lines with mistakes, and what is below them. */
function decorations(document, mistakes) {
  const byLine = new Map();
  for (const mistake of mistakes) {
    if (!mistake.place) continue;
    const line = Math.min(Math.max(mistake.place[0], 1), document.lines);
    byLine.set(line, [...(byLine.get(line) ?? []), mistake]);
  }
  const all = [...byLine].sort(([one], [other]) => one - other).flatMap(([number, found]) => {
    const line = document.line(number);
    return [Decoration.line({ class: "cm-wrong" }).range(line.from), Decoration.widget({ widget: new Below(found), block: true, side: 1 }).range(line.to)];
  });
  return Decoration.set(all, true);
}

const marks = StateField.define({
  create: () => Decoration.none,
  update: (found, change) => {
    for (const effect of change.effects) if (effect.is(marked)) return decorations(change.state.doc, effect.value);
    return found.map(change.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** An editor; `changed` gets the text that the user writes. */
export class TextEditor {
  #view;
  #isOwn = false;

  constructor(home, changed) {
    const listen = EditorView.updateListener.of((update) => { if (update.docChanged && !this.#isOwn) changed(update.state.doc.toString()); });
    this.#view = new EditorView({
      parent: home,
      state: EditorState.create({
        doc: "",
        // Tab leaves the editor: a page can be used without a pointer.
        extensions: [lineNumbers(), highlightSpecialChars(), history(), drawSelection(), StreamLanguage.define(toml), syntaxHighlighting(classHighlighter), marks, listen, keymap.of([...defaultKeymap, ...historyKeymap]), EditorView.contentAttributes.of({ "aria-label": "The design as TOML" })],
      }),
    });
    // A text that is wider than the page scrolls with the keys.
    const { scrollDOM } = this.#view;
    scrollDOM.tabIndex = 0;
    scrollDOM.setAttribute("role", "group");
    scrollDOM.setAttribute("aria-label", "The text, as wide as it is");
  }

  /** Shows a text; what is the same stays where it is. */
  show(text) {
    const now = this.#view.state.doc.toString();
    if (now === text) return;
    let from = 0;
    while (from < now.length && now[from] === text[from]) from += 1;
    let end = 0;
    while (end < now.length - from && end < text.length - from && now[now.length - 1 - end] === text[text.length - 1 - end]) end += 1;
    this.#isOwn = true;
    // The first text is where undoing ends.
    const annotations = now === "" ? Transaction.addToHistory.of(false) : undefined;
    this.#view.dispatch({ changes: { from, to: now.length - end, insert: text.slice(from, text.length - end) }, annotations });
    this.#isOwn = false;
  }

  mark(mistakes) { this.#view.dispatch({ effects: marked.of(mistakes) }); }

  /** Goes to a line. */
  go(number) {
    const line = this.#view.state.doc.line(Math.min(Math.max(number, 1), this.#view.state.doc.lines));
    this.#view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
    this.#view.focus();
  }
}
