// The bill, as the engine tells it: texts are shown as they come, nothing is computed.

import { make, plain, sentences } from "./dom.js";

/** The part of a month by kind: a bar and its key. */
function kinds(page) {
  const color = (at) => `k${Math.min(at, 5) + 1}`;
  const bar = page.kinds.map((kind, at) => make("i", { className: color(at), style: `width:${kind.percent}%`, title: `${kind.name} ${kind.text}` }));
  const key = page.kinds.map((kind, at) => make("li", {}, make("i", { className: `dot ${color(at)}` }), `${plain(kind.name)} `, make("b", {}, kind.text), ` ${kind.share}`));
  return page.kinds.length ? [make("div", { className: "stack", "aria-hidden": "true" }, bar), make("ul", { className: "key", "aria-label": "What the month is made of" }, key)] : [];
}

/** A line, and the working below it on demand. */
function line(one, table, open) {
  const key = `${table}|${one.what}|${one.usage_type}|${one.rate}`;
  const why = make("tr", { className: "why", hidden: !open.has(key) }, make("td", { colspan: "4" },
    make("p", { className: "small" }, `${one.quantity} ${one.unit} of ${one.usage_type} at ${one.rate} = `, make("b", {}, one.text), ` (exactly $${one.usd})`),
    make("ul", {}, one.because.map((text) => make("li", {}, plain(text)))),
    make("p", { className: "sub small" }, `Rate since ${one.since}, ${one.source}`)));
  const button = make("button", { type: "button", className: "plain", "aria-expanded": String(open.has(key)), onclick: () => {
    why.hidden = !why.hidden;
    button.setAttribute("aria-expanded", String(!why.hidden));
    if (why.hidden) open.delete(key); else open.add(key);
  } }, plain(one.what));
  return [make("tr", {},
    make("td", {}, button),
    make("td", { className: "num units" }, `${one.quantity} ${one.unit}`),
    make("td", { className: "num units" }, one.rate),
    make("td", { className: "num" }, one.text)), why];
}

function table(name, total, lines, open) {
  const head = make("tr", {}, make("th", { scope: "col" }, "What"), make("th", { scope: "col", className: "num units" }, "Units a month"), make("th", { scope: "col", className: "num units" }, "Rate"), make("th", { scope: "col", className: "num" }, "Amount"));
  return make("table", {}, make("caption", {}, plain(name), make("b", {}, total)), make("thead", {}, head), make("tbody", {}, lines.flatMap((one) => line(one, name, open))));
}

function list(title, items, open, isOpen = false) {
  if (!items.length) return [];
  // It stays as the user left it.
  const toggle = ({ target }) => { open.delete(title); open.delete(`-${title}`); open.add(target.open ? title : `-${title}`); };
  return [make("details", { className: "part", open: open.has(title) || (isOpen && !open.has(`-${title}`)), ontoggle: toggle }, make("summary", {}, `${title} (${items.length})`), make("ul", {}, items.map((item) => make("li", {}, plain(item)))))];
}

/** The difference from the version that was pinned. */
function change(page, actions) {
  const { change } = page;
  const pin = make("button", { type: "button", className: "plain", id: "pin", onclick: actions.pin }, change ? "pin this one" : "pin this version, to compare with it");
  if (!change) return [make("p", { className: "sub" }, pin)];
  const amount = change.is_known ? make("span", { className: change.saves ? "saves" : change.usd === "0" ? "" : "costs" }, change.text) : make("span", { className: "warn" }, "change unknown");
  const rows = change.lines.map((one) => make("tr", {}, make("td", {}, plain(one.place)), make("td", {}, one.usage_type), make("td", { className: `num ${one.saves ? "saves" : "costs"}` }, one.text)));
  return [
    make("p", { className: "sub" }, amount, change.is_known ? " a month" : "", " against the pinned version ", pin, make("button", { type: "button", className: "plain", onclick: actions.unpin }, "forget it")),
    rows.length ? make("details", {}, make("summary", { className: "small" }, `What moved (${rows.length})`), make("table", {}, make("tbody", {}, rows))) : make("p", { className: "sub small" }, "Nothing has moved."),
  ];
}

/** Shows a page of the engine. */
export function showBill(home, page, actions, open) {
  const unknown = page.unknown.map((one) => `${one.place}: ${one.what}, ${one.rate}: ${one.why}`);
  const focus = home.contains(document.activeElement) ? document.activeElement.id : "";
  const { scrollTop } = home.parentElement;
  home.replaceChildren(
    make("p", { className: "label" }, "A month", make("span", { className: "printed" }, ` of ${plain(page.workload)}`)),
    make("p", { className: "big", id: "total", tabIndex: -1, "data-usd": page.total.usd }, page.total_text),
    ...(page.is_complete ? [] : [make("p", { className: "warn" }, page.headline)]),
    ...page.warnings.map((text) => make("p", { className: "warn small" }, plain(text))),
    ...change(page, actions),
    ...kinds(page),
    make("p", { className: "sub small" }, page.conventions),
    ...page.tables.map((one) => table(one.name, one.text, one.lines, open)),
    ...(page.once.length ? [table("Paid once, not added to the month", "", page.once, open)] : []),
    ...list("Unknown, not included in the total", unknown, open, true),
    actions.compare,
    ...list("Assumptions", page.assumptions, open),
    ...list("Readings of rules that AWS leaves open", page.switches, open),
  );
  home.parentElement.scrollTop = scrollTop;
  if (focus) document.getElementById(focus)?.focus();
}

/** What to change, as the engine ranks it. */
export function showChanges(home, found, apply) {
  const tag = { "no trade-off": "sure", "trade-off": "choice", commitment: "commit" };
  const one = (change) => make("div", { className: "change" },
    make("p", {}, make("b", {}, plain(change.change)), " ", make("span", { className: `tag ${tag[change.kind]}` }, change.kind)),
    make("p", { className: "num saves" }, `saves ${change.text}`),
    make("p", { className: "sub small" }, plain([change.why, change.risk].filter(Boolean).join("; "))),
    change.can_apply && change.edit ? make("p", { className: "num" }, make("button", { type: "button", onclick: () => apply(change.number), "aria-label": `Make it: ${plain(change.change)}` }, "Make it")) : make("span"),
    change.edit ? make("pre", { tabIndex: 0, "aria-label": `The edit of ${plain(change.change)}` }, plain(change.edit)) : undefined);
  const best = found.combinations.map((row) => make("tr", {}, make("td", {}, row.name), make("td", { className: "num" }, row.monthly), make("td", { className: "num saves" }, row.difference), make("td", { className: "units" }, plain(row.how))));
  home.replaceChildren(
    make("p", { className: "sub" }, found.headline),
    ...(best.length ? [make("table", {}, make("caption", {}, "The best combinations"), make("tbody", {}, best))] : []),
    ...found.changes.slice(0, 10).map(one),
    make("ul", { className: "small sub" }, found.others.map((text) => make("li", {}, plain(text)))),
  );
}

/** What is wrong with the file, with a way to each line. */
export function showMistakes(home, mistakes, go, hasBill) {
  home.hidden = !mistakes.length;
  if (!mistakes.length) return home.replaceChildren();
  const one = ({ place, message, help }) => make("li", {},
    place ? make("button", { type: "button", className: "plain", onclick: () => go(place[0]) }, `line ${place[0]}`) : undefined,
    ` ${sentences(message, help)}`);
  const count = mistakes.length === 1 ? "One thing" : `${mistakes.length} things`;
  const bill = hasBill ? " The bill below is that of the last version without mistakes." : "";
  home.replaceChildren(make("b", {}, `${count} in the design cannot be right.${bill}`), make("ul", {}, mistakes.slice(0, 8).map(one)));
}
