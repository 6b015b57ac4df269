// How long the page takes: from opening it to the first bill, and from a key press to the new total of each
// shipped design. `node bench.mjs`, on a machine that does nothing else.

import { browser, designs, page, write } from "./test/support.mjs";

const closing = [];
const opened = await browser({ after: (close) => closing.push(close) });
const middle = (times) => times.sort((one, other) => one - other)[Math.floor(times.length / 2)];

const loads = [];
for (let run = 0; run < 5; run += 1) {
  const one = await page(opened);
  loads.push(Number(await one.evaluate(() => document.documentElement.dataset.ready)));
  await one.close();
}
console.log(`first bill after opening the file: ${middle(loads).toFixed(0)} ms`);

const one = await page(opened);
for (const { name, text } of designs) {
  await write(one, text);
  const times = await one.evaluate(async () => {
    const field = [...document.querySelectorAll("#form input")].find((input) => input.labels?.[0]?.textContent === "Hours of a month");
    const found = [];
    for (const hours of ["730", "729", "728", "727", "726", "725", "724"]) {
      const before = document.documentElement.dataset.estimated;
      const began = performance.now();
      field.value = hours;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((done) => {
        const look = () => (document.documentElement.dataset.estimated === before ? setTimeout(look, 0) : done());
        look();
      });
      found.push(performance.now() - began);
    }
    return found;
  });
  console.log(`${name.padEnd(28)} ${middle(times).toFixed(0).padStart(4)} ms`);
}
for (const close of closing) await close();
