// Elements, made without markup in strings: names from a file are always text.

/** An element with properties, attributes and children. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style" || key.includes("-") || ["role", "for", "list", "colspan"].includes(key)) element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** The element with an id. */
export const by = (id) => document.getElementById(id);

/** A text that ends: without marks that change the direction of what stands around it. */
export const plain = (text) => String(text).replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, "\ufffd");

/** What is wrong and how to fix it, as sentences. */
export function sentences(message, help) {
  const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");
  return plain([message, help].map(sentence).filter(Boolean).join(" "));
}
