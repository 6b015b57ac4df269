// The form: controls over the values of the file. Each control knows the way to its value; what it writes
// goes through the engine, so that everything else in the file stays as it is.

import { make, plain, sentences } from "./dom.js";

/** A text as TOML. JSON's strings are TOML's, but for the control character 7F. */
const quoted = (text) => JSON.stringify(text).replace(/\u007f/g, "\\u007f");

/** A number as TOML: commas, spaces and underscores between groups of three digits go. `undefined` if it is
 * none: a comma before other digits may be a decimal one. */
function number(text) {
  const parts = /^(-?)(\d{1,3}(?:[,\s]\d{3})+|\d+(?:_\d+)*)(\.\d+)?$/.exec(text.trim());
  if (!parts) return undefined;
  const whole = parts[2].replace(/[\s,_]/g, "").replace(/^0+(?=\d)/, "");
  return whole.length > 18 ? undefined : `${parts[1]}${whole}${parts[3] ?? ""}`;
}

/** A name that is not taken: Table2, Table3 … */
function free(word, list, from = list.length + 1) {
  const taken = new Set(list.map((one) => one.name));
  let at = from;
  while (taken.has(`${word}${at}`)) at += 1;
  return `${word}${at}`;
}

const grouped = (value) => {
  const [whole, part] = String(value).split(".");
  return /^-?\d+$/.test(whole) ? whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "") : String(value);
};

const OPERATIONS = ["GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
/** The keys that a call shares with others. */
const KEPT = {
  PutItem: ["condition_failures"], UpdateItem: ["changes", "sets", "removes", "condition_failures", "missing"], DeleteItem: ["condition_failures", "missing"],
  Query: ["attributes", "fetches", "missing"], Scan: ["attributes"], GetItem: ["missing"], BatchGetItem: ["missing"], TransactGetItems: ["missing"],
  BatchWriteItem: ["actions"], TransactWriteItems: ["actions", "condition_failures"],
};
const READS = new Set(["GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"]);
const TYPES = [["S", "text"], ["N", "number"], ["B", "binary"], ["BOOL", "true or false"], ["NULL", "null"], ["L", "list"], ["M", "map"], ["SS", "set of texts"], ["NS", "set of numbers"], ["BS", "set of binaries"]];
const PERIODS = [["per_second", "a second"], ["per_minute", "a minute"], ["per_hour", "an hour"], ["per_day", "a day"], ["per_week", "a week"], ["per_month", "a month"]];

/** The form of a file. `edit` gets a list of edits, and whether the form has to be made anew. */
export class Form {
  #home;
  #choices;
  #edit;
  #go;
  #values = {};
  #open = new Set();
  #count = 0;
  /** The controls with the ways to their values, for mistakes. */
  controls = [];

  constructor(home, choices, edit, go) {
    this.#home = home;
    this.#choices = choices;
    this.#edit = edit;
    this.#go = go;
  }

  /** Takes the values of the file as they are now; the controls stay. */
  update(values) { this.#values = values; }

  /** Whether the form can be used: not while the text is no TOML. */
  enable(isUsable) { this.#home.inert = !isUsable; this.#home.classList.toggle("stale", !isUsable); }

  /** Makes the form of these values; the focus stays at the same control. */
  show(values) {
    const focus = document.activeElement?.dataset?.way;
    const caret = document.activeElement?.selectionStart;
    this.#values = values;
    this.#count = 0;
    this.controls = [];
    const tables = Array.isArray(values.table) ? values.table : [];
    this.#home.replaceChildren(
      this.#design(values),
      ...tables.map((table, at) => this.#table(table, at, tables.length)),
      make("p", {}, this.#add("table", ["table"], [["name", quoted(free("Table", tables))], ["items", "1000000"], ["partition_key", "{ name = \"id\" }"], ["item", "{ size = \"1 KB\" }"]])),
    );
    const same = focus && this.#home.querySelector(`[data-way="${CSS.escape(focus)}"]`);
    if (same) {
      same.focus();
      if (caret !== null && caret !== undefined && same.setSelectionRange && same.type === "text") same.setSelectionRange(caret, caret);
    }
  }

  /** Shows mistakes at the controls on their lines; `lines` has the line of each control. */
  mark(mistakes, lines) {
    this.controls.forEach(({ control, note }, at) => {
      // What could not be written is not in the file: its note stays until the control is right.
      if (control.dataset.unwritten) return;
      const own = mistakes.filter(({ place }) => place && lines[at] === place[0]);
      control.setAttribute("aria-invalid", String(own.length > 0));
      note.textContent = own.map(({ message, help }) => sentences(message, help)).join(" ");
      note.hidden = !own.length;
    });
  }

  #value(way) { return way.reduce((value, step) => (value === null || value === undefined ? undefined : value[step]), this.#values); }

  /** A control with its label and a place for mistakes. */
  #field(label, way, control, { wide = false } = {}) {
    const id = `f${this.#count++}`;
    control.id = id;
    control.dataset.way = JSON.stringify(way);
    const note = make("p", { className: "mistake", id: `${id}-m`, hidden: true });
    control.setAttribute("aria-describedby", note.id);
    this.controls.push({ way, control, note });
    return make("div", { className: wide ? "field wide" : "field" }, make("label", { for: id }, label), control, note);
  }

  /** A value that the form has no control for: it stays as the text has it. */
  #other(label, way) {
    const button = make("button", { type: "button", className: "plain", onclick: () => this.#go(way) }, "as the text says");
    return make("div", { className: "field" }, make("span", { className: "name" }, label), button);
  }

  #wrong(control, text) {
    const { note } = this.controls.find((one) => one.control === control);
    control.setAttribute("aria-invalid", String(Boolean(text)));
    if (text) control.dataset.unwritten = "yes";
    else delete control.dataset.unwritten;
    note.textContent = text ? `${text}; the bill uses the value before.` : "";
    note.hidden = !text;
  }

  /** A text or a number. `write` makes TOML of what is typed, or `undefined` if it cannot be. */
  #input(label, way, { write, read = String, wrong = "", empty = false, wide = false, suggestion = "" } = {}) {
    const value = this.#value(way);
    if (value !== null && typeof value === "object") return this.#other(label, way);
    const control = make("input", { type: "text", value: value === undefined ? "" : read(value), placeholder: suggestion, autocomplete: "off", spellcheck: false, oninput: () => {
      const text = control.value.trim();
      if (!text && empty) {
        this.#wrong(control);
        return this.#edit([{ at: way }]);
      }
      const written = write(text);
      if (written === undefined) return this.#wrong(control, wrong);
      this.#wrong(control);
      return this.#edit([{ at: way, set: written }]);
    } });
    if (write === number) control.inputMode = "decimal";
    return this.#field(label, way, control, { wide });
  }

  #text(label, way, more = {}) { return this.#named(way, this.#input(label, way, { write: (text) => (text || more.empty ? quoted(text) : undefined), wrong: "write a name", ...more })); }

  /** Lets the form show a name everywhere once it is written; what refers to it follows. */
  #named(way, field) {
    const control = field.querySelector("input");
    if (!control || way.at(-1) !== "name") return field;
    const before = control.value;
    control.addEventListener("change", () => {
      const list = way.at(-3), table = way.slice(0, 2), key = { index: "index", entity: "entity" }[list];
      const patterns = this.#value([...table, "access"]);
      const follow = key && Array.isArray(patterns) ? patterns.flatMap((access, at) => (access[key] === before ? [{ at: [...table, "access", at, key], set: quoted(control.value.trim()) }] : [])) : [];
      this.#edit(follow, true);
    });
    return field;
  }

  /** Names, separated by commas. */
  #names(label, way) {
    const value = this.#value(way);
    const control = make("input", { type: "text", value: Array.isArray(value) ? value.join(", ") : "", autocomplete: "off", spellcheck: false, oninput: () => {
      const names = control.value.split(",").map((name) => name.trim()).filter(Boolean);
      this.#wrong(control, names.length ? undefined : "write names, separated by commas");
      return names.length ? this.#edit([{ at: way, set: `[${names.map(quoted).join(", ")}]` }]) : undefined;
    } });
    return this.#field(label, way, control, { wide: true });
  }

  #number(label, way, more = {}) { return this.#input(label, way, { write: number, read: grouped, wrong: "write a number, such as 1,000", ...more }); }

  /** A size, such as 1.8 KB: bytes if it has no unit. */
  #size(label, way, more = {}) {
    const write = (text) => {
      const [, figure, unit] = /^(.*?\d)\s*([KMGT]?i?B)?$/i.exec(text) ?? [];
      const value = figure === undefined ? undefined : number(figure);
      return value === undefined || !unit ? value : quoted(`${value} ${unit}`);
    };
    return this.#input(label, way, { write, read: (value) => (typeof value === "number" ? grouped(value) : value), wrong: "write a size, such as 1.8 KB or 512 B", ...more });
  }

  #select(label, way, options, { otherwise = "", whole = false, edits } = {}) {
    const value = this.#value(way);
    if (value !== null && typeof value === "object") return this.#other(label, way);
    const known = options.some(([word]) => word === (value ?? otherwise));
    const all = known ? options : [...options, [value ?? otherwise, value ?? otherwise]];
    const control = make("select", { onchange: () => this.#edit(edits ? edits(control.value) : control.value === otherwise && !whole ? [{ at: way }] : [{ at: way, set: quoted(control.value) }], true) },
      all.map(([word, name]) => make("option", { value: word, selected: word === (value ?? otherwise) }, name)));
    return this.#field(label, way, control);
  }

  #check(label, way, { on = "true", off } = {}) {
    const value = this.#value(way);
    const id = `f${this.#count++}`;
    const control = make("input", { type: "checkbox", id, checked: value === true || (value !== null && typeof value === "object"), onchange: () => this.#edit([control.checked ? { at: way, set: on } : off ? { at: way, set: off } : { at: way }], true) });
    control.dataset.way = JSON.stringify(way);
    return make("div", { className: "field check" }, control, make("label", { for: id }, label));
  }

  /** Several buttons of which one is pressed. */
  #choice(label, name, options, now) {
    const one = ([word, text, edits]) => {
      const control = make("input", { type: "radio", name, value: word, checked: word === now, onchange: () => this.#edit(typeof edits === "function" ? edits() : edits, true) });
      control.dataset.way = JSON.stringify([name, word]);
      return make("label", {}, control, text);
    };
    return make("fieldset", { className: "field wide" }, make("legend", {}, label), make("div", { className: "seg" }, options.map(one)));
  }

  #add(what, way, keys, more = []) {
    const button = make("button", { type: "button", className: "plain", onclick: () => this.#edit([{ at: way, append: keys }, ...more], true) }, `+ ${what}`);
    button.dataset.way = JSON.stringify([...way, "+"]);
    return button;
  }

  #remove(what, way, more = []) {
    return make("button", { type: "button", className: "plain", "aria-label": `Remove ${what}`, onclick: () => this.#edit([{ at: way }, ...more], true) }, "remove");
  }

  /** A part that can be opened and closed; it stays as the user left it. */
  #part(key, title, note, isOpen, ...content) {
    const part = make("details", { className: "part", open: this.#open.has(key) || (isOpen && !this.#open.has(`-${key}`)), ontoggle: () => {
      this.#open.delete(part.open ? `-${key}` : key);
      this.#open.add(part.open ? key : `-${key}`);
    } }, make("summary", {}, title, make("span", { className: "sub small" }, note)), ...content);
    return part;
  }

  #design(values) {
    const regions = this.#choices.regions.map(({ code, name }) => [code, `${code}, ${name}`]);
    const region = this.#choices.regions.find(({ code }) => code === values.region);
    const prices = this.#text("Prices of", ["prices"], { empty: true, suggestion: region?.last ?? "", write: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? quoted(text) : undefined), wrong: `write a date${region ? ` from ${region.first} on` : ""}, such as ${region?.last ?? "2026-09-16"}` });
    return make("div", { className: "fields" },
      this.#text("Name of the design", ["name"]),
      this.#select("Region", ["region"], regions, { whole: true }),
      prices,
      this.#number("Hours of a month", ["month_hours"], { empty: true, suggestion: "730" }),
      Array.isArray(values.free_tier) ? this.#other("AWS's free tier", ["free_tier"]) : this.#check("AWS's free tier", ["free_tier"]));
  }

  #table(table, at, count) {
    const way = ["table", at];
    const name = plain(table.name ?? `Table ${at + 1}`);
    const list = (key) => (Array.isArray(table[key]) ? table[key] : []);
    const patterns = list("access").length;
    return make("section", { className: "part", "aria-label": name },
      make("div", { className: "head" }, make("h2", {}, name), count > 1 ? this.#remove(name, way) : undefined),
      make("div", { className: "fields" },
        this.#text("Name", [...way, "name"]),
        ...(Array.isArray(table.entity) && table.entity.length ? [] : [this.#number("Items", [...way, "items"])]),
        ...this.#item(table, way),
        this.#select("Table class", [...way, "class"], [["standard", "Standard"], ["standard-ia", "Standard-IA"]], { otherwise: "standard" }),
        this.#text("Partition key", [...way, "partition_key", "name"]),
        this.#text("Sort key", [...way, "sort_key", "name"], { empty: true, suggestion: "none" })),
      this.#capacity(table, way),
      this.#part(`${name}.access`, "Access patterns", `${patterns}`, true,
        ...list("access").map((access, place) => this.#access(table, access, [...way, "access", place])),
        make("p", {}, this.#add("access pattern", [...way, "access"], [["name", quoted(free("read ", list("access")))], ["operation", quoted("GetItem")], ["rate", "{ per_second = 10 }"]]))),
      ...this.#attributes(table, way, name),
      this.#part(`${name}.index`, "Indexes", `${list("index").length}`, list("index").length > 0,
        ...list("index").map((index, place) => this.#index(table, index, [...way, "index", place])),
        make("p", {}, this.#add("index", [...way, "index"], this.#newIndex(table, list("index"))))),
      this.#part(`${name}.entity`, "Entities", `${list("entity").length}`, false,
        ...list("entity").map((entity, place, all) => this.#entity(entity, [...way, "entity", place], all.length === 1 ? way : undefined)),
        make("p", { className: "sub small" }, "Kinds of items in a single table. A table with entities has no items and no size of its own."),
        make("p", {}, this.#add("entity", [...way, "entity"], this.#newEntity(table, list("entity"), list("index")), list("entity").length ? [] : [{ at: [...way, "items"] }, { at: [...way, "item"] }]))),
      this.#part(`${name}.replica`, "Replicas in other regions", `${list("replica").length}`, false,
        ...list("replica").map((replica, place) => this.#replica(replica, [...way, "replica", place])),
        make("p", {}, this.#add("replica", [...way, "replica"], [["region", quoted(this.#otherRegion(list("replica")))]]))),
      this.#dax(table, way, name),
      this.#part(`${name}.more`, "Backups, expiry, streams", "", false, make("div", { className: "fields" },
        this.#check("Point-in-time recovery", [...way, "backup", "pitr"]),
        this.#check("A stream, read with Lambda", [...way, "stream"], { on: "{ view = \"new-and-old-images\", readers = { lambda = 1 } }" }),
        this.#number("Items that TTL deletes a day", [...way, "ttl", "deletes", "per_day"], { empty: true, suggestion: "none" }))));
  }

  /** The size of an item: one, or a distribution; attributes stay in the text. */
  #item(table, way) {
    const item = table.item ?? {};
    if (Array.isArray(table.entity) && table.entity.length && !table.item) return [];
    if (item.lognormal) return [this.#size("Item size, mean", [...way, "item", "lognormal", "mean"]), this.#size("99 % are below", [...way, "item", "lognormal", "p99"]), this.#sizeKind(item, way)];
    if (item.size !== undefined || !Object.keys(item).length) return [this.#size("Item size", [...way, "item", "size"]), this.#sizeKind(item, way)];
    return [this.#other("Item size", [...way, "item"])];
  }

  /** The attributes of an item: their names, types and bytes. */
  #attributes(table, way, name) {
    const attributes = table.item?.attributes;
    if (!Array.isArray(attributes)) return [];
    const list = [...way, "item", "attributes"];
    const one = (attribute, at) => {
      const own = [...list, at];
      const size = attribute.digits === undefined ? this.#number("Bytes", [...own, "bytes"]) : this.#number("Digits", [...own, "digits"]);
      return make("div", { className: "one" }, make("div", { className: "fields" },
        this.#text("Name", [...own, "name"]), this.#select("Type", [...own, "type"], TYPES, { whole: true }), size, this.#remove(`the attribute ${plain(attribute.name ?? "")}`, own)));
    };
    return [this.#part(`${name}.attributes`, "Attributes of an item", `${attributes.length}`, false, ...attributes.map(one),
      make("p", {}, this.#add("attribute", list, [["name", quoted(free("Attribute", attributes))], ["type", quoted("S")], ["bytes", "20"]])))];
  }

  #sizeKind(item, way) {
    const now = () => this.#value([...way, "item"]) ?? {};
    const text = (size) => (typeof size === "number" ? `${size} B` : size ?? "1 KB");
    const one = () => [{ at: [...way, "item"], set: `{ size = ${quoted(text(now().size ?? now().lognormal?.mean))} }` }];
    const distributed = () => {
      const mean = text(now().size ?? now().lognormal?.mean);
      const [, figure, unit] = /^([\d.]+)\s*(.*)$/.exec(mean) ?? [, "1", "KB"];
      // A first guess, which the user changes: 99 % below four times the mean.
      return [{ at: [...way, "item"], set: `{ lognormal = { mean = ${quoted(mean)}, p99 = ${quoted(`${4 * Number(figure)} ${unit}`)} } }` }];
    };
    return this.#choice("Sizes", `size${way[1]}`, [["one", "all alike", one], ["mean", "distributed", distributed]], item.lognormal ? "mean" : "one");
  }

  #capacity(table, way) {
    const own = table.capacity ?? {};
    const scaled = own.read !== null && typeof own.read === "object";
    const mode = own.mode !== "provisioned" ? "on-demand" : scaled ? "scaled" : "fixed";
    const globals = (table.index ?? []).map((index, at) => [index, at]).filter(([index]) => index.kind !== "local");
    const all = (edits) => [{ at: [...way, "capacity"], set: edits.capacity }, ...globals.flatMap(([, at]) => ["read", "write"].map((key) => ({ at: [...way, "index", at, key], ...(edits.units ? { set: edits.units } : {}) })))];
    const modes = [
      ["on-demand", "On demand", all({ capacity: "{ mode = \"on-demand\" }" })],
      ["fixed", "Provisioned", all({ capacity: "{ mode = \"provisioned\", read = 100, write = 100 }", units: "100" })],
      ["scaled", "Auto scaled", all({ capacity: "{ mode = \"provisioned\", read = { min = 10, max = 1000, target = 0.7 }, write = { min = 10, max = 1000, target = 0.7 } }", units: "{ min = 10, max = 1000, target = 0.7 }" })],
    ];
    const units = (key, title) => (own[key] !== null && typeof own[key] === "object"
      ? [this.#number(`${title}, at least`, [...way, "capacity", key, "min"]), this.#number(`${title}, at most`, [...way, "capacity", key, "max"]), this.#number(`${title}, target use`, [...way, "capacity", key, "target"])]
      : [this.#number(title, [...way, "capacity", key])]);
    return make("div", { className: "fields" }, this.#choice("Capacity", `capacity${way[1]}`, modes, mode),
      ...(mode === "on-demand" ? [] : [make("div", { className: "three" }, ...units("read", "Read units")), make("div", { className: "three" }, ...units("write", "Write units"))]));
  }

  #access(table, access, way) {
    const names = (key) => (table[key] ?? []).map((one) => [one.name, one.name]).filter(([name]) => typeof name === "string");
    const { operation } = access;
    const isPage = operation === "Query" || operation === "Scan";
    const several = isPage || /^(Batch|Transact)/.test(operation ?? "");
    const operations = (word) => {
      const edits = [{ at: [...way, "operation"], set: quoted(word) }];
      if (!READS.has(word) || word === "TransactGetItems") edits.push({ at: [...way, "consistency"] });
      const kept = KEPT[word] ?? [];
      for (const key of ["changes", "sets", "removes", "condition_failures", "missing", "overwrites", "actions", "attributes", "fetches"]) if (access[key] !== undefined && !kept.includes(key)) edits.push({ at: [...way, key] });
      if (/^(Transact|Batch)Write/.test(word)) {
        edits.push({ at: [...way, "items"] });
        if (access.actions === undefined) edits.push({ at: [...way, "actions"], set: "[{ operation = \"Put\" }, { operation = \"Put\" }]" });
        return edits;
      }
      if (word !== "Query" && word !== "Scan") edits.push({ at: [...way, "index"] });
      const needs = word === "Query" || word === "Scan" || /^Batch|^Transact/.test(word);
      if (!needs) edits.push({ at: [...way, "items"] });
      else if (access.items === undefined && access.actions === undefined) edits.push({ at: [...way, "items"], set: "10" });
      return edits;
    };
    return make("div", { className: "one" },
      make("div", { className: "head" }, this.#text("Access pattern", [...way, "name"]), this.#remove(plain(access.name ?? "the access pattern"), way)),
      make("div", { className: "fields" },
        this.#select("Call", [...way, "operation"], OPERATIONS.map((word) => [word, word]), { edits: operations }),
        this.#rate(access, way),
        READS.has(operation) && operation !== "TransactGetItems" ? this.#select("Consistency", [...way, "consistency"], [["eventual", "eventual"], ["strong", "strong"]], { otherwise: "eventual" }) : undefined,
        isPage && names("index").length ? this.#select("Index", [...way, "index"], [["", "none, the table"], ...names("index")], { otherwise: "" }) : undefined,
        several && access.actions === undefined ? this.#number("Items in a call", [...way, "items"]) : undefined,
        names("entity").length ? this.#select("Entity", [...way, "entity"], [["", "all"], ...names("entity")], { otherwise: "" }) : undefined,
        this.#select("When", [...way, "profile"], [["", "at all hours"], ["office-hours", "office hours"], ["daytime", "daytime"], ["evening", "evening"], ["nightly", "nightly"]], { otherwise: "" })));
  }

  #rate(access, way) {
    const rate = access.rate ?? {};
    const found = PERIODS.find(([key]) => rate[key] !== undefined);
    if (typeof rate !== "object" || !found || typeof rate[found[0]] === "object") return this.#other("Rate", [...way, "rate"]);
    const [key] = found;
    const calls = this.#number("Calls", [...way, "rate", key]);
    const period = this.#select("in", [...way, "rate", "period"], PERIODS, { edits: (word) => [{ at: [...way, "rate"], set: `{ ${word} = ${this.#value([...way, "rate", key]) ?? rate[key]} }` }] });
    const select = period.querySelector("select");
    select.value = key;
    // The control has no value of its own in the file.
    this.controls.pop();
    return make("div", { className: "pair" }, calls, period);
  }

  #newIndex(table, indexes) {
    // Where attributes are described, an index needs one of them as its key.
    const attributes = Array.isArray(table.item?.attributes) ? table.item.attributes : [];
    const key = attributes.find(({ type, share }) => (type === "S" || type === "N") && share === undefined)?.name;
    const keys = [["name", quoted(free("Index", indexes))], ["kind", quoted("global")], ["partition_key", quoted(key ?? (attributes.length ? table.partition_key?.name : "key"))], ["projection", quoted("all")]];
    const units = table.capacity?.mode !== "provisioned" ? [] : ["read", "write"].map((key) => [key, "100"]);
    return [...keys, ...units];
  }

  #index(table, index, way) {
    const included = index.projection !== null && typeof index.projection === "object";
    const provisionedTable = table.capacity?.mode === "provisioned";
    const provisioned = provisionedTable && index.kind !== "local";
    return make("div", { className: "one" },
      make("div", { className: "head" }, this.#text("Index", [...way, "name"]), this.#remove(plain(index.name ?? "the index"), way)),
      make("div", { className: "fields" },
        this.#select("Kind", [...way, "kind"], [["global", "global"], ["local", "local"]], { whole: true, edits: (word) => [
          { at: [...way, "kind"], set: quoted(word) },
          ...(word === "local" ? [{ at: [...way, "partition_key"], set: quoted(table.partition_key?.name ?? "id") }, ...["read", "write", "max_read", "max_write", "schedule"].map((key) => ({ at: [...way, key] }))] : provisionedTable ? ["read", "write"].map((key) => ({ at: [...way, key], set: "100" })) : []),
        ] }),
        typeof index.partition_key === "string" ? this.#text("Partition key", [...way, "partition_key"]) : this.#other("Partition key", [...way, "partition_key"]),
        this.#text("Sort key", [...way, "sort_key"], { empty: true, suggestion: "none" }),
        included ? this.#names("Projected attributes", [...way, "projection", "include"]) : this.#select("Projection", [...way, "projection"], [["all", "all attributes"], ["keys-only", "keys only"]], { otherwise: "all" }),
        included ? this.#choice("Projection", `projection${way.join(".")}`, [["all", "all", [{ at: [...way, "projection"], set: quoted("all") }]], ["keys-only", "keys only", [{ at: [...way, "projection"], set: quoted("keys-only") }]], ["include", "these", []]], "include") : undefined,
        this.#number("Share of items in it", [...way, "coverage"], { empty: true, suggestion: "1" }),
        index.projection === "keys-only" || included ? this.#size("Size of an entry", [...way, "entry_size"], { empty: true, suggestion: "of the attributes" }) : undefined,
        ...(provisioned ? [this.#number("Read units", [...way, "read"]), this.#number("Write units", [...way, "write"])] : [])));
  }

  /** The first entity has the number of items that the table has had; each is in every index. */
  #newEntity(table, entities, indexes) {
    const items = entities.length || typeof table.items !== "number" ? 100000 : table.items;
    const size = typeof table.item?.size === "string" ? table.item.size : "1 KB";
    const names = indexes.map(({ name }) => quoted(name)).join(", ");
    return [["name", quoted(free("Entity", entities))], ["items", String(items)], ["item", `{ size = ${quoted(size)} }`], ...(names ? [["in_indexes", `[${names}]`]] : [])];
  }

  #entity(entity, way, table) {
    const back = table ? [{ at: [...table, "items"], set: String(typeof entity.items === "number" ? entity.items : 100000) }, { at: [...table, "item"], set: "{ size = \"1 KB\" }" }] : [];
    return make("div", { className: "one" },
      make("div", { className: "head" }, this.#text("Entity", [...way, "name"]), this.#remove(plain(entity.name ?? "the entity"), way, back)),
      make("div", { className: "fields" },
        entity.share === undefined ? this.#number("Items", [...way, "items"]) : this.#number("Share of items", [...way, "share"]),
        entity.item?.size !== undefined ? this.#size("Item size", [...way, "item", "size"]) : this.#other("Item size", [...way, "item"])));
  }

  #replica(replica, way) {
    const regions = this.#choices.regions.map(({ code, name }) => [code, `${code}, ${name}`]);
    return make("div", { className: "one" },
      make("div", { className: "head" }, make("h3", {}, plain(replica.region ?? "")), this.#remove(`the replica in ${plain(replica.region ?? "")}`, way)),
      make("div", { className: "fields" },
        this.#select("Region", [...way, "region"], regions, { whole: true }),
        this.#number("Reads there, as a share of the table's", [...way, "reads"], { empty: true, suggestion: "0" }),
        this.#check("Point-in-time recovery", [...way, "pitr"])));
  }

  /** A region for another replica: one that has prices at the date of the design, near by if there is one. */
  #otherRegion(replicas) {
    const { region, prices } = this.#values;
    const others = this.#choices.regions.filter(({ code, first }) => code !== region && !replicas.some((one) => one.region === code) && !(prices < first));
    const near = others.find(({ code }) => code.slice(0, 3) === String(region).slice(0, 3));
    return (near ?? others[0])?.code ?? "us-west-2";
  }

  #dax(table, way, name) {
    const has = table.dax !== undefined;
    const dax = [...way, "dax"];
    const cluster = () => [
      this.#select("Node type", [...dax, "node_type"], this.#choices.nodes.map((node) => [node, node]), { whole: true }),
      this.#number("Nodes", [...dax, "nodes"]),
      this.#number("Hit ratio, 0 to 1", [...dax, "hit_ratio"], { empty: true, suggestion: "of the popularity" }),
    ];
    return this.#part(`${name}.dax`, "DAX cluster", has ? "1" : "none", has, make("div", { className: "fields" },
      this.#check("A cluster in front of the table", dax, { on: "{ node_type = \"dax.r5.large\", nodes = 3, hit_ratio = 0.9 }" }),
      ...(has ? cluster() : [])));
  }
}
