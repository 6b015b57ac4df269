// The pictures of the documentation: the page, a report and the terminal. `node pictures.mjs`, after
// `./build.sh` and `cargo build`.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { browser, designs, page, write } from "./test/support.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const images = join(root, "docs/images");
const program = process.env.DYNAMETER ?? join(root, "target/debug/dynameter");
const run = (...command) => execFileSync(program, command, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, COLUMNS: "80" } });

const closing = [];
const opened = await browser({ after: (close) => closing.push(close) });

const playground = await page(opened, { viewport: { width: 1280, height: 860 } });
await write(playground, designs.find(({ name }) => name === "template.toml").text);
await playground.locator("#bill button[aria-expanded]").nth(0).click();
await playground.screenshot({ path: join(images, "playground.png") });

const report = await opened.newPage({ viewport: { width: 1280, height: 1500 } });
await report.setContent(run("report", "workloads/leaderboard.toml"));
await report.screenshot({ path: join(images, "report.png") });

// The terminal: its colours are those that a terminal of 80 columns gets.
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const colors = { 1: "font-weight:700", 2: "color:#8b949e", 31: "color:#ff7b72", 32: "color:#56d364", 33: "color:#e3b341", 36: "color:#76e3ea" };
const html = (text) => escaped(text).replace(/\u001b\[([\d;]+)m/g, (_, codes) => (codes === "0" ? "</span>" : `<span style="${codes.split(";").map((code) => colors[code] ?? "").join(";")}">`));
const shown = execFileSync("script", ["-qec", `stty rows 40 cols 80 && '${program}' compare workloads/shopping-cart.toml`, "/dev/null"], { cwd: root, encoding: "utf8", env: { ...process.env, TERM: "xterm-256color" } });
const terminal = await opened.newPage({ viewport: { width: 720, height: 620 } });
await terminal.setContent(`<body style="margin:0;background:#0d1117;color:#e6edf3"><pre style="margin:16px;font:13px/1.45 'DejaVu Sans Mono',monospace">$ dynameter compare workloads/shopping-cart.toml\n${html(shown.replace(/\r/g, "").split("\n").slice(0, 29).join("\n"))}</pre>`);
await terminal.screenshot({ path: join(images, "terminal.png") });

for (const close of closing) await close();
