  // Sliders: the engine scales the figures of the file, and estimates it anew.
  const home = document.getElementById("sliders");
  const text = JSON.parse(document.getElementById("design").textContent);
  const factors = JSON.parse(document.getElementById("factors").textContent);
  const element = (name, properties = {}, ...children) => {
    const one = Object.assign(document.createElement(name), properties);
    one.append(...children);
    return one;
  };
  const start = async () => {
    const engine = (await load(document.getElementById("engine").textContent.trim()))();
    const values = await engine.ask({ ask: "values", text });
    const own = factors.indexOf("1");
    const chosen = new Map();
    const total = element("output", { id: "sliders-total" }), change = element("span", { className: "quiet" });
    total.setAttribute("aria-live", "polite");
    const warnings = element("div");
    let asked = 0;
    const show = async () => {
      const at = ++asked;
      const scaled = await engine.ask({ ask: "scale", text, by: [...chosen.values()] });
      const page = scaled.text === undefined ? scaled : await engine.ask({ ask: "estimate", text: scaled.text, before: text });
      if (at !== asked) return;
      const wrong = page.error ?? page.mistakes?.[0]?.message;
      total.textContent = wrong ? "not possible" : page.total_text;
      warnings.replaceChildren(...(page.warnings ?? []).map((text) => element("p", { className: "warning", textContent: text })));
      total.dataset.v = wrong ? "" : page.total.usd;
      change.textContent = wrong ?? (chosen.size ? ` (${page.change.is_known ? page.change.text : "change unknown"})` : "");
    };
    const slider = (label, way) => {
      const id = `slider-${JSON.stringify(way)}`;
      const value = element("output", { textContent: "1 x" });
      const input = element("input", { type: "range", id, min: 0, max: factors.length - 1, step: 1, value: own });
      input.addEventListener("input", () => {
        const factor = factors[input.value];
        value.textContent = `${factor} x`;
        input.setAttribute("aria-valuetext", `${factor} times the value of the file`);
        if (factor === "1") chosen.delete(id);
        else chosen.set(id, [way, factor]);
        show();
      });
      const name = element("label", { textContent: label, htmlFor: id });
      name.dir = "auto";
      return element("li", {}, name, input, value);
    };
    const tables = Array.isArray(values?.table) ? values.table : [];
    const sliders = tables.flatMap((table, at) => [
      ...(table.item?.size !== undefined || table.item?.lognormal ? [slider(`${table.name}: size of an item`, ["table", at, "item"])] : []),
      ...(table.access ?? []).flatMap((access, place) => (access.rate === undefined ? [] : [slider(`${table.name}: ${access.name}`, ["table", at, "access", place, "rate"])])),
    ]);
    const back = element("button", { type: "button", textContent: "Back to the file" });
    back.addEventListener("click", () => {
      chosen.clear();
      for (const input of home.querySelectorAll("input")) { input.value = own; input.dispatchEvent(new Event("input")); }
    });
    home.append(element("p", {}, "costs ", total, " a month", change), warnings, element("ul", { className: "sliders" }, ...sliders), back);
    home.hidden = false;
    document.getElementById("try-card").hidden = false;
    await show();
    document.documentElement.dataset.ready = "";
  };
  start().catch((error) => { document.getElementById("try-card").hidden = false; home.hidden = false; home.append(element("p", { className: "warning", textContent: `The engine could not start: ${error.message}` })); });
