// The page: one document in two views, its bill, and what follows from it.

import { load } from "../../templates/engine.js";
import { by, make } from "./dom.js";
import { Form } from "./form.js";
import { TextEditor } from "./editor.js";
import { showBill, showChanges, showMistakes } from "./bill.js";

let quiet;
/** Says something for a while, near the tools. */
function say(text) {
  by("state").textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => { by("state").textContent = ""; }, 8_000);
}

/** What stands before a shared design in the address. */
const SHARED = "#design=";

/** The text of a share: deflated, in the part of the address that no server sees. */
async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The most that a share unpacks to. */
const SHARE_BYTES_MAX = 1 << 20;

async function unpacked(letters) {
  const bytes = Uint8Array.from(atob(letters.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > SHARE_BYTES_MAX) throw new Error("the shared design is larger than 1 MB");
    parts.push(value);
  }
  return new Blob(parts).text();
}

async function start() {
  const engine = await load(by("engine").textContent.trim());
  const bills = engine();
  const choices = await bills.ask({ ask: "choices" });

  let text = "";
  let pinned;
  let open = new Set();
  let asked = 0;
  let edits = Promise.resolve();
  let mistakes = [];
  let hasBill = false;
  // Versions before changes of the form, to go back to.
  const earlier = [];

  const editor = new TextEditor(by("editor"), (changed) => become(changed, { form: "later" }));
  const form = new Form(by("form"), choices, (changes, anew) => edit(changes, anew), goTo);

  /** The bill of the text; answers of an earlier text are dropped. */
  async function estimate() {
    const own = ++asked;
    const page = await bills.ask({ ask: "estimate", text, before: pinned ?? null });
    if (own !== asked) return;
    hasBill ||= page.total !== undefined;
    mistakes = page.mistakes ?? (page.error ? [{ message: page.error, help: "" }] : []);
    showMistakes(by("mistakes"), mistakes, goToLine, hasBill);
    editor.mark(mistakes);
    by("bill").classList.toggle("stale", mistakes.length > 0);
    if (!mistakes.length) showBill(by("bill"), page, { pin, unpin, compare: comparison.home }, open);
    await markForm();
    document.documentElement.dataset.estimated = String(own);
  }

  async function markForm() {
    const ways = form.controls.map(({ way }) => way);
    const lines = mistakes.length ? await bills.ask({ ask: "lines", text, ways }) : [];
    form.mark(mistakes, lines);
  }

  /** Another text: of the editor, of an example, of a change. */
  function become(changed, { form: when = "now" } = {}) {
    text = changed;
    // The address names a shared design only while the page shows it.
    if (isReady && location.hash.startsWith(SHARED)) history.replaceState(null, "", location.pathname + location.search);
    comparison.forget();
    editor.show(text);
    if (when === "later") isFormOld = true;
    else showForm();
    return estimate();
  }

  let isFormOld = true;
  let isReady = false;
  async function showForm() {
    const values = await bills.ask({ ask: "values", text });
    isFormOld = values === null;
    form.enable(values !== null);
    if (values !== null) form.show(values);
  }

  /** Edits of the form, one after another. */
  function edit(changes, anew = false) {
    edits = edits.then(async () => {
      const answer = await bills.ask({ ask: "edit", text, edits: changes });
      if (answer.text === undefined) return say(answer.error ?? "");
      if (answer.text !== text) {
        if (anew) remember();
        text = answer.text;
        comparison.forget();
        editor.show(text);
      }
      if (anew) await showForm();
      else form.update((await bills.ask({ ask: "values", text })) ?? {});
      await estimate();
    });
    return edits;
  }

  function view(name) {
    for (const one of ["form", "text"]) {
      by(one).hidden = one !== name;
      by(`tab-${one}`).setAttribute("aria-selected", String(one === name));
      by(`tab-${one}`).tabIndex = one === name ? 0 : -1;
    }
    if (name === "form" && isFormOld) showForm().then(markForm);
  }

  function goToLine(line) {
    view("text");
    editor.go(line);
  }

  async function goTo(way) {
    const [line] = await bills.ask({ ask: "lines", text, ways: [way] });
    goToLine(line ?? 1);
  }

  function remember() {
    if (earlier.at(-1) !== text) earlier.push(text);
    if (earlier.length > 50) earlier.shift();
    by("back").disabled = !earlier.length;
  }

  function pin() {
    if (mistakes.length) return say("The design has mistakes; a version without them can be pinned.");
    pinned = text;
    say("This version is pinned: the bill shows the difference from it.");
    return estimate();
  }
  function unpin() { pinned = undefined; estimate(); }

  /** What to change, found in an engine of its own so that the page stays quick. */
  const comparison = (() => {
    const found = make("div");
    const bar = make("progress", { hidden: true, max: 1, value: 0, "aria-label": "How far the comparison is" });
    const button = make("button", { type: "button", className: "main", onclick: run }, "Find what to change");
    const home = make("section", { className: "part", "aria-label": "What to change" }, make("p", {}, button), bar, found);
    let running;
    function forget() {
      running?.end();
      running = undefined;
      bar.hidden = true;
      button.textContent = "Find what to change";
      found.replaceChildren();
    }
    async function run() {
      if (running) return forget();
      const own = engine();
      running = own;
      bar.hidden = false;
      bar.removeAttribute("value");
      button.textContent = "Stop";
      const answer = await own.ask({ ask: "compare", text }, (done, total) => { bar.max = total; bar.value = done; });
      if (answer.stopped) return undefined;
      const of = text;
      forget();
      if (answer.changes === undefined) return say(answer.error ?? "The design has mistakes; fix them first.");
      showChanges(found, answer, (number) => apply(of, number));
      return say("The comparison is done.");
    }
    async function apply(of, number) {
      say("Making the change …");
      const own = engine();
      const answer = await own.ask({ ask: "apply", text: of, number });
      own.end();
      if (answer.text === undefined) return say(answer.error ?? "The change could not be made.");
      remember();
      pinned = of;
      await become(answer.text);
      by("total").focus();
      return say("The change is made; the bill shows the difference.");
    }
    return { home, forget };
  })();

  function save(name, content, type) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  async function download(file) {
    if (file === "toml") return save("workload.toml", text, "application/toml");
    say("Writing …");
    const own = engine();
    const answer = await own.ask({ ask: "file", text, file });
    own.end();
    if (answer.text === undefined) return say(answer.error ?? "The design has mistakes; fix them first.");
    const [name, type] = { estimate: ["estimate.json", "application/json"], csv: ["estimate.csv", "text/csv"], report: ["report.html", "text/html"] }[file];
    save(name, answer.text, type);
    return say(`Saved as ${name}.`);
  }

  // The tools.
  by("examples").append(make("option", { value: "" }, "an example …"), ...choices.examples.map(({ name }, at) => make("option", { value: at }, name)));
  by("examples").addEventListener("change", ({ target }) => {
    if (target.value !== "") { remember(); pinned = undefined; open = new Set(); become(choices.examples[target.value].text); say("“Back” returns to your design."); }
  });
  by("back").addEventListener("click", () => { const before = earlier.pop(); by("back").disabled = !earlier.length; if (before !== undefined) become(before); });
  by("open").addEventListener("click", () => by("file").click());
  by("file").addEventListener("change", async ({ target }) => {
    if (target.files[0]) { remember(); pinned = undefined; await become(await target.files[0].text()); }
    target.value = "";
  });
  by("share").addEventListener("click", async () => {
    history.replaceState(null, "", `${SHARED}${await packed(text)}`);
    try {
      await navigator.clipboard.writeText(location.href);
      say("The address of this design is copied. It holds the whole design; nothing is stored elsewhere.");
    } catch {
      say("The address of the page is now that of this design: copy it from the address bar.");
    }
  });
  const menu = by("downloads");
  const toggle = (isOpen) => { menu.hidden = !isOpen; by("download").setAttribute("aria-expanded", String(isOpen)); };
  by("download").addEventListener("click", () => toggle(menu.hidden));
  menu.addEventListener("click", ({ target }) => { if (target.dataset.file) { toggle(false); download(target.dataset.file); } });
  addEventListener("click", ({ target }) => { if (!target.closest(".menu")) toggle(false); });
  addEventListener("keydown", ({ key }) => { if (key === "Escape" && !menu.hidden) { toggle(false); by("download").focus(); } });
  const tabs = [by("tab-form"), by("tab-text")];
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => view(tab.id.slice(4)));
    tab.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      const other = tabs[1 - at];
      other.focus();
      view(other.id.slice(4));
    });
  });

  /** The design in the address, if there is one. */
  async function shared() {
    if (!location.hash.startsWith(SHARED)) return undefined;
    try {
      return await unpacked(location.hash.slice(SHARED.length));
    } catch {
      say("The shared design cannot be read: its address is incomplete.");
      return undefined;
    }
  }
  addEventListener("hashchange", async () => {
    const design = await shared();
    if (design !== undefined && design !== text) { remember(); become(design); }
  });
  await become((await shared()) ?? choices.examples[0].text);
  isReady = true;
  // Milliseconds since the page was opened.
  document.documentElement.dataset.ready = performance.now().toFixed(0);
}

start().catch((error) => say(`The page could not start: ${error.message}`));
