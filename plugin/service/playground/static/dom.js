// Builds elements by DOM calls. Text is always text: what a catalogue holds is never read as HTML.

/** Where there is one column: on phones, and on most tablets. As in the style. */
export const NARROW = matchMedia("(max-width: 1000px)");

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return a new element.
 * @param {string} name
 * @param {Object<string, any>} attributes `onclick` and the like are listeners, `style` holds CSS
 *   properties by name, and what is null or false is left out.
 * @param {...(Node|string|null|Array<any>)} children
 */
export const h = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);

/** Return a new element of a drawing. */
export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style")
      for (const one of Object.entries(value)) node.style.setProperty(...one);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(
    ...children.flat(2).filter((one) => one !== null && one !== undefined && one !== false),
  );
  return node;
}

let numbered = 0;

/** Return an id that no other element of the page has. */
export const newId = () => `n${(numbered += 1)}`;

const CONTROLS = "button, a[href], input, select, textarea, summary";

/**
 * Replace what an element holds, and leave the focus where it was: on the control with the same
 * `data-key`, or else on the one that stands in its place.
 */
export function replace(root, ...children) {
  const before = [...root.querySelectorAll(CONTROLS)];
  const place = before.indexOf(document.activeElement);
  const key = before[place]?.dataset.key;
  root.replaceChildren(...children.flat().filter(Boolean));
  if (place < 0) return;
  const after = [...root.querySelectorAll(CONTROLS)].filter((one) => !one.disabled);
  const same = after.find((one) => key && one.dataset.key === key);
  (same ?? after[Math.min(place, after.length - 1)])?.focus({ preventScroll: true });
}

/** Return a button. */
export const button = (label, onclick, attributes = {}) =>
  h("button", { type: "button", onclick, ...attributes }, label);

/** Return a button with a sign, and a name for those who do not see it. */
export const signButton = (sign, name, onclick, attributes = {}) =>
  button(h("span", { "aria-hidden": "true" }, sign), onclick, {
    class: "sign",
    "aria-label": name,
    title: name,
    ...attributes,
  });

/** Return a select, of [value, label] each. */
export function choice(options, value, onchange, attributes = {}) {
  const node = h(
    "select",
    { ...attributes, onchange: () => onchange(node.value) },
    options.map(([one, label]) => h("option", { value: one }, label)),
  );
  node.value = value;
  return node;
}

/** Return a control under its label. */
export function labelled(label, control, attributes = {}) {
  control.id ||= newId();
  return h(
    "div",
    { class: "field", ...attributes },
    h("label", { for: control.id }, label),
    control,
  );
}
