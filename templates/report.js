"use strict";
(() => {
  document.documentElement.classList.add("js");
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const by = (id) => document.getElementById(id);

  // Totals at other traffic and for other months are looked up, never computed.
  const form = by("what-if"), factor = by("factor"), month = by("month");
  const body = by("what-if-tables").tBodies[0];
  const show = () => {
    const sums = figures.sums[month.value][factor.value];
    by("factor-text").textContent = figures.factors[factor.value] + " x";
    factor.setAttribute("aria-valuetext", figures.factors[factor.value] + " times the traffic of the file");
    const total = by("what-if-total");
    total.textContent = sums ? sums[0][1] : "not possible";
    total.dataset.v = sums ? sums[0][0] : "";
    const note = figures.notes[month.value][factor.value];
    by("what-if-note").textContent = note ? "; " + note : "";
    body.replaceChildren(...figures.tables.map((name, at) => {
      const row = document.createElement("tr"), head = document.createElement("td"), cell = document.createElement("td");
      head.textContent = name; head.dir = "auto"; cell.className = "n";
      cell.textContent = sums ? sums[at + 1][1] : "-";
      cell.dataset.v = sums ? sums[at + 1][0] : "";
      row.append(head, cell);
      return row;
    }));
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();

  // In print, everything that supports the figures is expanded; only the long tables of hours and times stay collapsed.
  const proof = [...document.querySelectorAll("details:not(.long)")];
  addEventListener("beforeprint", () => proof.forEach((one) => { one.dataset.was = one.open; one.open = true; }));
  addEventListener("afterprint", () => proof.forEach((one) => { one.open = one.dataset.was === "true"; }));

  // Column heads sort the table; on narrow screens each cell shows its column head.
  const value = (row, at, numbers) => {
    const cell = row.cells[at], exact = cell.dataset.v, text = cell.textContent.trim();
    if (exact !== undefined) return Number(exact);
    const plain = text.replace(/[$,+]/g, "").split(" ")[0];
    return numbers[at] && /^-?[0-9.]+$/.test(plain) ? Number(plain) : text;
  };
  const compare = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    if (typeof one === "number") return -1;
    if (typeof other === "number") return 1;
    return one.localeCompare(other, "en", { numeric: true });
  };
  for (const table of document.querySelectorAll(".table table")) {
    const heads = [...table.tHead.rows[0].cells];
    const names = heads.map((head) => head.textContent.trim());
    const numbers = heads.map((head) => head.classList.contains("n"));
    for (const row of table.tBodies[0].rows) for (const [at, cell] of [...row.cells].entries()) cell.dataset.h = names[at];
    heads.forEach((head, at) => {
      if (!names[at]) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = names[at];
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((one, other) => compare(value(one, at, numbers), value(other, at, numbers)) * (down ? -1 : 1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // Pointing at a chart shows the matching row of its table.
  for (const figure of document.querySelectorAll("figure.chart[data-x]")) {
    const svg = figure.querySelector("svg"), table = figure.querySelector("table");
    if (!svg || !table) continue;
    const rows = [...table.tBodies[0].rows], names = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
    const [left, right] = figure.dataset.x.split(" ").map(Number);
    const places = figure.dataset.places ? figure.dataset.places.split(" ").map(Number) : rows.map((_, at) => (at + 0.5) / rows.length);
    const ends = figure.dataset.places ? figure.dataset.range.split(" ").map(Number) : [0, 1];
    const tip = document.createElement("div");
    tip.className = "tip"; tip.hidden = true; tip.setAttribute("aria-hidden", "true");
    figure.append(tip);
    const order = [...rows];
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), home = figure.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width * svg.viewBox.baseVal.width - left) / (right - left);
      if (x < -0.02 || x > 1.02) { tip.hidden = true; return; }
      const at = ends[0] + x * (ends[1] - ends[0]);
      let near = 0;
      places.forEach((place, index) => { if (Math.abs(place - at) < Math.abs(places[near] - at)) near = index; });
      const cells = order[near] ? [...order[near].cells] : [];
      tip.replaceChildren(...cells.flatMap((cell, index) => [names[index] + ": " + cell.textContent, document.createElement("br")]));
      tip.hidden = false;
      const wide = tip.offsetWidth, over = event.clientX - home.left;
      tip.style.left = Math.max(0, Math.min(over + 14, home.width - wide)) + "px";
      tip.style.top = box.top - home.top + 8 + "px";
    });
    svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
})();
