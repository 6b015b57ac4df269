// Packs the engine, and puts it into the page.

import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** A number of WebAssembly, and the place after it. */
function size(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

/** A module without its custom sections: descriptions for tools, which an engine does not need. */
function stripped(bytes) {
  const kept = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length;) {
    const [length, content] = size(bytes, at + 1);
    if (bytes[at] !== 0) kept.push(bytes.subarray(at, content + length));
    at = content + length;
  }
  return Buffer.concat(kept);
}

const [what, from, to] = process.argv.slice(2);
if (what === "engine") {
  const packed = gzipSync(stripped(readFileSync(from)), { level: 9 });
  writeFileSync(to, packed);
  console.log(`${to}: ${packed.length} bytes`);
} else {
  const { buildSync } = await import("esbuild");
  const read = (name) => readFileSync(new URL(`page/${name}`, import.meta.url), "utf8");
  const { outputFiles } = buildSync({ entryPoints: ["page/main.js"], bundle: true, minify: true, format: "iife", target: "es2022", charset: "utf8", legalComments: "none", write: false });
  // Nothing in a script may end its element.
  const script = outputFiles[0].text.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
  const parts = { STYLE: read("../../templates/tokens.css") + read("page.css"), ENGINE: readFileSync(from).toString("base64"), SCRIPT: script };
  const page = read("index.html").replace(/%(STYLE|ENGINE|SCRIPT)%/g, (_, name) => parts[name]);
  writeFileSync(to, page);
  console.log(`${to}: ${page.length} bytes, ${gzipSync(page, { level: 9 }).length} compressed`);
}
