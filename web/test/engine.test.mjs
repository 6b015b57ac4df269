// The engine of the page is the engine of the command line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { designs, engine, native } from "./support.mjs";

const ask = engine();

for (const { name, text } of designs) {
  test(`${name}: the same bytes as the command line`, () => {
    for (const [file, ...command] of [["estimate", "estimate", "--format", "json"], ["csv", "estimate", "--format", "csv"], ["compare", "compare", "--format", "json"]]) {
      assert.equal(ask({ ask: "file", text, file }).text, native(text, ...command), file);
    }
  });
}

test("what a page shows are the figures of the estimate", () => {
  for (const { text } of designs) {
    const page = ask({ ask: "estimate", text, before: null });
    const estimate = JSON.parse(native(text, "estimate", "--format", "json"));
    assert.equal(page.total.usd, estimate.total_usd);
    const shown = page.tables.flatMap((table) => table.lines).map((line) => line.usd).sort();
    assert.deepEqual(shown, estimate.lines.map((line) => line.amount_usd).sort());
  }
});

test("an edit changes one value and nothing else", () => {
  const before = "# mine\nname = \"A\" # a name\n\n[[table]]\nname  = \"T\"\nitems = 1_000 # many\nunknown-key = 7\n";
  const { text } = ask({ ask: "edit", text: before, edits: [{ at: ["table", 0, "items"], set: "2000" }] });
  assert.equal(text, before.replace("1_000", "2000"));
  const back = ask({ ask: "edit", text, edits: [{ at: ["table", 0, "items"], set: "1_000" }] });
  assert.equal(back.text, before);
});

test("mistakes have a line, and nonsense is an answer", () => {
  const { mistakes } = ask({ ask: "estimate", text: "region = \"nowhere\"\n", before: null });
  assert.ok(mistakes.some(({ place, help }) => place?.[0] === 1 && help));
  for (const question of [{}, { ask: "nothing" }, { ask: "apply", text: designs[0].text, number: 999 }, { ask: "edit", text: "a = ", edits: [] }]) {
    assert.ok(ask(question).error, JSON.stringify(question));
  }
  assert.deepEqual(ask({ ask: "lines", text: "a = 1\n[[table]]\nname = \"x\"\n", ways: [["a"], ["table", 0, "name"], ["b"]] }), [1, 3, null]);
});
