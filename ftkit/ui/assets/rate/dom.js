// Words and elements. Everything goes in as text: nothing that a model or a person wrote is ever read as HTML.
const WORDS = JSON.parse(document.getElementById("words").textContent);
const byId = (id) => document.getElementById(id);

function say(key, values = {}) {
  return WORDS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// make("p", { class: "x", onclick: f }, "text", node): what is null or false is left out.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

// Keys are shown where there is a keyboard; a screen reader hears the label without them.
const key = (name) => make("kbd", { "aria-hidden": "true" }, name);
const letter = (place) => String.fromCharCode(65 + place);

// Said aloud by a screen reader, and seen.
function announce(text, kind = "good") {
  byId("status").dataset.kind = kind;
  byId("status").textContent = text;
}

// randomUUID exists on https and on localhost only; invite links may be plain http.
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
