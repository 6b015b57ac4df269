// The page in a browser, as people use it.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, designs, expected, native, page, settled, text, total, write } from "./support.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong. */
async function violations(one) {
  // The page's own rules forbid scripts from elsewhere: axe goes in by the debugger.
  await one.evaluate(axe);
  const found = await one.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).slice(0, 3).join(" ")}`);
}

const cart = designs.find(({ name }) => name === "shopping-cart.toml").text;

test("the page starts with a design, and says what it costs", async (t) => {
  const one = await page(await browser(t));
  const first = designs.find(({ name }) => name === "template.toml").text;
  assert.equal(await total(one), expected(first));
  assert.deepEqual(one.said, []);
});

test("the form changes the text, and the text changes the form", async (t) => {
  const one = await page(await browser(t), { text: `${cart}\n[[table.access]]\nname = "more"\noperation = "GetItem"\nrate.per_second = 1\n` });
  const field = one.getByLabel("Calls", { exact: true }).last();
  await settled(one, () => field.fill("2,500"));
  const now = await text(one);
  assert.match(now, /rate\.per_second = 2500/);
  assert.ok(now.startsWith("# "), "comments stay");
  assert.equal(await total(one), expected(now));
  await one.click("#tab-text");
  await one.click(".cm-content");
  await one.keyboard.press("Control+End");
  await settled(one, () => one.keyboard.type("consistency = \"strong\"\n"));
  await one.click("#tab-form");
  await one.waitForFunction(() => [...document.querySelectorAll("select")].some((select) => select.value === "strong"));
  assert.equal(await total(one), expected(await text(one)));
  assert.deepEqual(one.said, []);
});

test("tables, indexes, replicas and clusters are added and removed", async (t) => {
  const one = await page(await browser(t), { text: cart });
  await settled(one, () => one.click("text=+ table"));
  await settled(one, () => one.locator("section[aria-label=Table2] >> text=+ access pattern").click());
  for (const title of ["Indexes", "Replicas in other regions", "DAX cluster"]) {
    await one.locator("section[aria-label=Table2] summary", { hasText: title }).click();
  }
  await settled(one, () => one.locator("section[aria-label=Table2] >> text=+ index").click());
  await settled(one, () => one.locator("section[aria-label=Table2] >> text=+ replica").click());
  await settled(one, () => one.locator("section[aria-label=Table2]").getByLabel("A cluster in front of the table").check());
  await settled(one, () => one.locator("section[aria-label=Table2] label", { hasText: "Auto scaled" }).click());
  await settled(one, () => one.selectOption("select >> nth=1", "eu-west-1"));
  assert.equal(await one.isVisible("#mistakes"), false, await one.textContent("#mistakes"));
  assert.equal(await total(one), expected(await text(one)));
  await settled(one, () => one.click("[aria-label='Remove Table2']"));
  assert.doesNotMatch(await text(one), /Table2/);
  assert.deepEqual(one.said, []);
});

test("mistakes stand below their lines and at their controls", async (t) => {
  const one = await page(await browser(t), { text: cart });
  const before = await total(one);
  const items = one.getByLabel("Item size", { exact: true });
  await settled(one, () => items.fill("500 KB"));
  assert.equal(await items.getAttribute("aria-invalid"), "true");
  assert.equal(await total(one), before, "the bill stays that of the version before");
  await one.locator("#mistakes button").first().click();
  assert.ok(await one.locator(".cm-under").first().isVisible());
  await one.click("#tab-form");
  await settled(one, () => items.fill("2 KB"));
  assert.equal(await one.isVisible("#mistakes"), false);
  await items.fill("two");
  assert.equal(await items.getAttribute("aria-invalid"), "true");
  assert.deepEqual(one.said, []);
});

test("a pinned version shows the difference in dollars", async (t) => {
  const one = await page(await browser(t), { text: cart });
  await settled(one, () => one.click("text=pin this version"));
  await settled(one, () => one.getByLabel("Calls", { exact: true }).first().fill("1"));
  const shown = await one.textContent("#bill .sub");
  const [was, is] = [expected(cart), await total(one)];
  const change = Number(is) - Number(was);
  assert.match(shown, change < 0 ? /-\$/ : /\+\$/);
  assert.ok(shown.includes(Math.abs(change).toFixed(2)), `${shown} ${change}`);
});

test("the comparison runs beside the page, and its changes can be made", async (t) => {
  const one = await page(await browser(t), { text: cart });
  await one.click("text=Find what to change");
  await one.waitForSelector(".change");
  const compared = JSON.parse(native(cart, "compare", "--format", "json"));
  assert.equal(await one.locator(".change").count(), Math.min(10, compared.advice.length));
  await settled(one, () => one.locator(".change button").first().click());
  const saved = Number(expected(cart)) - Number(await total(one));
  assert.equal(saved.toFixed(6), Number(compared.advice[0].saves_usd).toFixed(6));
  assert.deepEqual(one.said, []);
});

test("a share is the whole design, and hostile ones do nothing", async (t) => {
  const opened = await browser(t);
  const one = await page(opened, { text: cart });
  await one.click("#share");
  await one.waitForFunction(() => location.hash.length > 1);
  const hash = await one.evaluate(() => location.hash);
  const other = await page(opened, { hash });
  assert.equal(await text(other), cart);
  const wrong = await page(opened, { hash: "#design=%%%" });
  assert.match(await wrong.textContent("#state"), /cannot be read/);
  const hostile = "</script><img src=x onerror=alert(1)>\\u202e";
  const named = cart.replace(/name( *)= "Carts"/, `name = "${hostile}"`).replaceAll("\"Shopping cart\"", `"${hostile}"`);
  const third = await page(opened, { text: named });
  await third.click("text=Find what to change");
  await third.waitForSelector(".change, #state:not(:empty)");
  assert.equal(await third.locator("img").count(), 0);
  assert.deepEqual([...other.said, ...third.said], []);
});

test("files are those of the command line", async (t) => {
  const one = await page(await browser(t), { text: cart });
  for (const [file, ...command] of [["estimate", "estimate", "--format", "json"], ["csv", "estimate", "--format", "csv"], ["report", "report"]]) {
    await one.click("#download");
    const [download] = await Promise.all([one.waitForEvent("download"), one.click(`[data-file=${file}]`)]);
    assert.equal(readFileSync(await download.path(), "utf8"), native(cart, ...command), file);
  }
});

for (const [name, options] of [["wide", {}], ["narrow", { viewport: { width: 400, height: 800 } }], ["dark", { colorScheme: "dark" }]]) {
  test(`axe finds nothing: ${name}`, async (t) => {
    const one = await page(await browser(t), { ...options });
    await one.click("text=Find what to change");
    await one.waitForSelector(".change");
    assert.deepEqual(await violations(one), []);
    const wide = await one.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide`);
    await one.click("#tab-text");
    assert.deepEqual(await violations(one), []);
    assert.deepEqual(one.said, []);
  });
}

test("print shows the bill and not the tools", async (t) => {
  const one = await page(await browser(t));
  await one.emulateMedia({ media: "print" });
  assert.ok(await one.isVisible("#total"));
  assert.equal(await one.isVisible("#form"), false);
});

test("the keyboard is enough", async (t) => {
  const one = await page(await browser(t), { text: cart });
  const reach = async (matches) => {
    for (let step = 0; step < 200; step += 1) {
      await one.keyboard.press("Tab");
      if (await one.evaluate(matches)) return;
    }
    assert.fail(`no key reaches ${matches}`);
  };
  await one.evaluate(() => document.body.focus());
  await reach(() => document.activeElement.id === "tab-form");
  await one.keyboard.press("ArrowRight");
  assert.ok(await one.isVisible(".cm-content"));
  await one.keyboard.press("ArrowLeft");
  await reach(() => document.activeElement.inputMode === "decimal" && document.activeElement.labels[0].textContent === "Items");
  await one.keyboard.press("Control+a");
  await settled(one, () => one.keyboard.type("5"));
  await reach(() => document.activeElement.type === "radio");
  await settled(one, () => one.keyboard.press("ArrowRight"));
  await reach(() => document.activeElement.textContent === "Find what to change");
  await one.keyboard.press("Enter");
  await one.waitForSelector(".change, #state:not(:empty)");
  await reach(() => document.activeElement.getAttribute("aria-expanded") === "false" && document.activeElement.closest("td"));
  await one.keyboard.press("Enter");
  assert.ok(await one.locator("tr.why:visible").count());
});

test("every design is estimated", async (t) => {
  const one = await page(await browser(t));
  for (const { name, text: design } of designs) {
    await write(one, design);
    assert.equal(await total(one), expected(design), name);
    assert.equal(await one.isVisible("#mistakes"), false, name);
  }
  assert.deepEqual(one.said, []);
});

test("sliders in a report change its total by the engine", async (t) => {
  let text;
  try {
    text = native(cart, "report", "--interactive");
  } catch (error) {
    if (!/built without the engine/.test(error.stderr)) throw error;
    return t.skip("the binary was built without the engine (web/build.sh engine)");
  }
  const folder = mkdtempSync(join(tmpdir(), "dynameter-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "report.html"), text);
  const opened = await browser(t);
  const one = await opened.newPage({ viewport: { width: 1280, height: 900 } });
  const said = [];
  one.on("console", (message) => said.push(message.text()));
  await one.goto(`file://${join(folder, "report.html")}`);
  await one.waitForSelector("html[data-ready]");
  const shown = () => one.locator("#sliders-total").getAttribute("data-v");
  assert.equal(await shown(), expected(cart));
  await one.locator("#sliders input").nth(1).fill("13");
  await one.waitForFunction((before) => document.getElementById("sliders-total").dataset.v !== before, expected(cart));
  const factor = JSON.parse(await one.textContent("#factors"))[13];
  const rate = cart.match(/rate *= \{ per_day = ([\d_]+) \}/);
  assert.equal(await shown(), expected(cart.replace(rate[0], rate[0].replace(rate[1], String(Number(rate[1].replaceAll("_", "")) * Number(factor))))));
  assert.deepEqual(await violations(one), []);
  assert.deepEqual(said, []);
});
