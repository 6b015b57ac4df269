// Checks a page in the browser and sends the problems as JSON to the enclosing page. Runs last, on a copy of the page.
(() => {
  const problems = [];
  const say = (text) => problems.push(text);
  for (const details of document.querySelectorAll("details")) details.open = false;

  // What a reader meets before anything is opened.
  const words = document.body.innerText.split(/\s+/).length, height = document.documentElement.scrollHeight;
  const wide = document.documentElement;
  if (wide.scrollWidth > wide.clientWidth) {
    const over = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > wide.clientWidth + 1);
    say(`scrolls sideways: ${wide.scrollWidth} in ${wide.clientWidth}: ${over.slice(0, 3).map((one) => one.tagName + "." + one.className + " " + one.textContent.trim().slice(0, 40)).join(" | ")}`);
  }
  if (!wide.lang) say("has no language");
  if (!document.title.trim()) say("has no title");
  const levels = [...document.querySelectorAll("h1,h2,h3,h4")].map((head) => Number(head.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) say("has not one h1");
  levels.forEach((level, at) => { if (at && level > levels[at - 1] + 1) say(`heading ${at} jumps from h${levels[at - 1]} to h${level}`); });
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => say(`the id ${id} is there twice`));

  // Texts of a chart do not overlap, and stay within their figure.
  for (const svg of document.querySelectorAll("svg")) {
    if (!svg.getAttribute("aria-label") || svg.getAttribute("role") !== "img") say("a drawing has no words");
    if (!svg.closest("figure")?.querySelector("table")) say(`no table: ${svg.getAttribute("aria-label")}`);
    const home = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    texts.forEach(([words, box], at) => {
      if (box.left < home.left - 4 || box.right > home.right + 8) say(`"${words}" leaves ${svg.getAttribute("aria-label")}`);
      for (const [others, other] of texts.slice(at + 1)) {
        const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        if (across > 1 && down > 3) say(`"${words}" and "${others}" overlap in ${svg.getAttribute("aria-label")}`);
      }
    });
  }

  // The contrast of text with its background is at least 4.5 to 1.
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (value) => { const share = value / 255; return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const weak = new Set();
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || ["SCRIPT", "STYLE", "TITLE", "OPTION", "title"].includes(one.tagName) || !one.getClientRects().length) continue;
    const style = getComputedStyle(one);
    const [over, under] = [light(parse(one.closest("svg") ? style.fill : style.color)), light(behind(one))];
    const ratio = (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05);
    if (ratio < 4.5) weak.add(`${one.tagName}.${one.getAttribute("class")}: ${ratio.toFixed(2)}`);
  }
  weak.forEach((text) => say(`too little contrast: ${text}`));

  // Every control has a name; the slider and the list of months show the page's figures.
  for (const one of document.querySelectorAll("button,select,input,a")) {
    if (!(one.labels?.[0]?.textContent || one.textContent).trim()) say(`${one.tagName} has no name`);
  }
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const factor = document.getElementById("factor"), month = document.getElementById("month");
  if (!document.getElementById("what-if").hidden) {
    figures.sums.forEach((sums, at) => sums.forEach((sum, position) => {
      month.value = at; factor.value = position;
      factor.dispatchEvent(new Event("input", { bubbles: true }));
      const shown = [document.getElementById("what-if-total"), ...document.querySelectorAll("#what-if-tables tbody td.n")];
      const text = shown.map((one) => one.textContent).join(), wanted = sum ? sum.map((pair) => pair[1]).join() : null;
      if (wanted !== null && text !== wanted) say(`month ${at}, traffic ${position}: ${text} in place of ${wanted}`);
    }));
    month.value = 0; factor.value = figures.own;
    factor.dispatchEvent(new Event("input", { bubbles: true }));
  } else say("the slider is hidden");

  // Clicking a header sorts its column; clicking again reverses the order.
  for (const table of document.querySelectorAll(".table table")) {
    table.tHead.querySelectorAll("th").forEach((head, at) => {
      const button = head.querySelector("button");
      if (!button || !head.classList.contains("n")) return;
      const column = () => [...table.tBodies[0].rows].map((row) => row.cells[at]).map((cell) => Number(cell.dataset.v ?? cell.textContent.replace(/[$,+]/g, "").split(" ")[0])).filter((value) => !Number.isNaN(value));
      button.click();
      const up = column();
      button.click();
      const down = column();
      if (up.some((value, index) => index && value < up[index - 1])) say(`${table.caption?.textContent}: ${head.textContent} is not sorted`);
      if (down.some((value, index) => index && value > down[index - 1])) say(`${table.caption?.textContent}: ${head.textContent} is not sorted down`);
    });
  }

  // Hovering over a chart shows its values.
  const chart = document.querySelector("figure.chart[data-x]");
  if (chart) {
    for (let at = chart.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    const box = chart.querySelector("svg").getBoundingClientRect();
    const event = new PointerEvent("pointermove", { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true });
    chart.querySelector("svg").dispatchEvent(event);
    const head = chart.querySelector("th").textContent.trim();
    if (!chart.querySelector(".tip")?.textContent.includes(`${head}: `)) say("pointing at a chart says nothing");
    chart.querySelector("svg").dispatchEvent(new PointerEvent("pointerleave"));
  }

  parent.postMessage(JSON.stringify({ width: innerWidth, words, height, charts: document.querySelectorAll("svg").length, problems }), "*");
})();
