// What the tests share: the page in a browser, the engine in node, the command line.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The shipped designs. One reads an export from its folder, which a page cannot. */
export const designs = readdirSync(join(root, "workloads"))
  .filter((name) => name.endsWith(".toml"))
  .map((name) => ({ name, text: readFileSync(join(root, "workloads", name), "utf8") }))
  .filter(({ text }) => !/^item\.export/m.test(text));

/** What the command line writes about a design. */
export function native(text, ...command) {
  const folder = mkdtempSync(join(tmpdir(), "dynameter-"));
  try {
    writeFileSync(join(folder, "workload.toml"), text);
    const program = process.env.DYNAMETER ?? join(root, "target/debug/dynameter");
    return execFileSync(program, [...command, "workload.toml", "--quiet"], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The engine of the page, in node. */
export function engine() {
  const module = new WebAssembly.Module(gunzipSync(readFileSync(join(root, "web/dist/engine.wasm.gz"))));
  const imports = { page: { progress: () => {} } };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] ??= () => { throw new Error(`${from}.${name} is called`); };
  }
  const { memory, question, ask, forget } = new WebAssembly.Instance(module, imports).exports;
  return (asked) => {
    const bytes = new TextEncoder().encode(JSON.stringify(asked));
    const place = question(bytes.length);
    new Uint8Array(memory.buffer, place, bytes.length).set(bytes);
    const answer = ask(place, bytes.length);
    const length = new DataView(memory.buffer).getUint32(answer, true);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, answer + 4, length));
    forget(answer);
    return JSON.parse(text);
  };
}

const address = `file://${join(root, "web/dist/dynameter.html")}`;

/** A browser; closed when the test ends. */
export async function browser(test) {
  const opened = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  test.after(() => opened.close());
  return opened;
}

/** The page, with a design; everything that it writes to the console is an error. */
export async function page(opened, { text, hash = "", ...options } = {}) {
  const one = await opened.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const said = [];
  one.on("console", (message) => said.push(message.text()));
  one.on("pageerror", (error) => said.push(error.message));
  one.said = said;
  await one.goto(address + hash);
  await one.waitForSelector("html[data-ready]");
  if (text !== undefined) await write(one, text);
  return one;
}

/** Waits until the bill is that of what was done. */
export async function settled(one, action) {
  const before = await one.evaluate(() => document.documentElement.dataset.estimated);
  await action();
  await one.waitForFunction((own) => document.documentElement.dataset.estimated !== own, before);
}

/** Opens a text as a file. */
export async function write(one, text) {
  await settled(one, () => one.setInputFiles("#file", { name: "design.toml", mimeType: "application/toml", buffer: Buffer.from(text) }));
}

/** The exact total of the bill. */
export const total = (one) => one.getAttribute("#total", "data-usd");

/** The exact total that the command line finds. */
export const expected = (text) => JSON.parse(native(text, "estimate", "--format", "json")).total_usd;

/** The text of the design. */
export async function text(one) {
  const [download] = await Promise.all([one.waitForEvent("download"), (async () => {
    await one.click("#download");
    await one.click("[data-file=toml]");
  })()]);
  return readFileSync(await download.path(), "utf8");
}
