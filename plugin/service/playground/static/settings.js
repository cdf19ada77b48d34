// How a list is asked for: index, path, and sliders with their numbers.
import { emptyState, PATHS } from "./address.js";
import { chooser, plain, powers, slider, STEPS } from "./controls.js";
import { button, h, NARROW } from "./dom.js";

const SLIDERS = [
  { name: "tail_share", label: "Tail share", most: 1, ends: 1, scale: { ...plain, step: 0.05 } },
  { name: "diversity", label: "Diversity", most: 1, ends: 1, scale: { ...plain, step: 0.05 } },
  { name: "min_probability", label: "Least probability", most: 0.99, ends: STEPS, scale: powers },
  { name: "importance", label: "Least importance", most: 100, ends: 2, scale: plain },
];

/**
 * Append the controls of a side, folded away on a narrow screen.
 * @param {object} context
 * @param {HTMLElement} root
 * @param {object} [of]
 * @param {"left"|"right"} [of.side]
 * @param {string} [of.title]
 * @param {string[]} [of.without] what a view decides by itself, or shows elsewhere
 * @returns {HTMLElement} where a view may add its own
 */
export function settings(context, root, { side = "left", title = "Settings", without = [] } = {}) {
  const { store, status, signal } = context;
  const sized = !without.includes("size");
  const controls = { index: indexChoice, path: pathChoice, size: sizeSlider };
  const node = h("fieldset", { class: "settings" }, h("legend", {}, title));
  for (const [name, control] of Object.entries(controls))
    if (!without.includes(name)) node.append(...[control(context, side)].filter(Boolean));
  for (const { name, ...one } of SLIDERS.filter((each) => !without.includes(each.name))) {
    const standard = status.defaults[name];
    const select = (state) => state[side][name];
    const change = (value, stroke) => store.updateSide(side, { [name]: value }, stroke);
    node.append(slider({ store, signal, standard, ...one, select, change }));
  }
  const empty = emptyState();
  const reset = { [side]: empty[side], ...(sized ? { size: empty.size } : {}) };
  const defaults = button("As by default", () => store.update(reset), { class: "quiet defaults" });
  store.watch(
    (state) => Object.keys(reset).every((name) => same(state[name], reset[name])),
    (is) => (defaults.disabled = is),
    signal,
  );
  node.append(defaults);
  root.append(fold(title, node, signal));
  return node;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Return the slider of the length of a list. */
export const sizeSlider = ({ store, status, signal }) =>
  slider({
    store,
    signal,
    label: "Size",
    least: 1,
    most: 100,
    ends: 50,
    standard: status.defaults.size,
    whole: true,
    scale: { ...plain, step: 1 },
    select: (state) => state.size,
    change: (size, stroke) => store.update({ size }, stroke),
  });

/** Return what is chosen between indices; null where there is one. */
function indexChoice({ store, status, signal }, side) {
  if (status.indices.length < 2) return null;
  const named = status.indices.map(({ index, bundle }) => [
    index,
    `${index}, bundle ${bundle.slice(0, 8)}`,
  ]);
  // without a name: which one is live may change while the page is open
  const options = [["", "the live one"], ...named];
  return sideChoice({ store, signal, side, name: "index", label: "Index", options });
}

function pathChoice({ store, status, signal }, side) {
  const { path } = status.defaults;
  const options = [path, ...PATHS.filter((one) => one !== path)].map((one) => [one, one]);
  return sideChoice({ store, signal, side, name: "path", label: "Path", options });
}

const sideChoice = ({ side, name, ...of }) =>
  chooser({
    ...of,
    select: (state) => state[side][name],
    change: (value) => of.store.updateSide(side, { [name]: value }),
  });

/** Return what a narrow screen folds away: elsewhere it is always open, and has no line to fold it by. */
function fold(title, node, signal) {
  const folded = h("details", { class: "fold" }, h("summary", {}, title), node);
  const follow = () => (folded.open = !NARROW.matches);
  NARROW.addEventListener("change", follow, { signal });
  follow();
  return folded;
}
