// How a list is asked for: index, path, and sliders with their numbers.
import { PATHS } from "./address.js";
import { button, h } from "./dom.js";
import { plain, powers, slider, STEPS, watched } from "./slider.js";

const SLIDERS = [
  { name: "tail_share", label: "Tail share", most: 1, ends: 1, scale: { ...plain, step: 0.05 } },
  { name: "diversity", label: "Diversity", most: 1, ends: 1, scale: { ...plain, step: 0.05 } },
  { name: "min_probability", label: "Least probability", most: 0.99, ends: STEPS, scale: powers },
  { name: "importance", label: "Least importance", most: 100, ends: 2, scale: plain },
];

/**
 * Append the controls of a side.
 * @param {object} context
 * @param {HTMLElement} root
 * @param {object} [of]
 * @param {"left"|"right"} [of.side]
 * @param {string} [of.name]
 * @param {boolean} [of.sized] whether the length of the list is one of them
 * @param {string[]} [of.without] what a view decides by itself
 */
export function settings(
  { store, status, signal },
  root,
  { side = "left", name = "Settings", sized = true, without = [] } = {},
) {
  const node = h("fieldset", { class: "settings" }, h("legend", {}, name));
  const change = (field) => (value, stroke) => store.updateSide(side, { [field]: value }, stroke);
  if (status.indices.length > 1)
    node.append(indexChoice({ store, status, signal, side }, change("index")));
  if (!without.includes("path"))
    node.append(pathChoice({ store, status, signal, side }, change("path")));
  if (sized) node.append(sizeSlider({ store, status, signal }));
  for (const one of SLIDERS.filter(({ name: field }) => !without.includes(field))) {
    const select = (state) => state[side][one.name];
    node.append(slider({ store, status, signal, ...one, select, change: change(one.name) }));
  }
  const defaults = button("As by default", () => store.update(byDefault(side, sized)), {
    class: "quiet defaults",
  });
  const changed = (state) =>
    Object.values(state[side]).some((one) => one !== null) || (sized && state.size !== null);
  store.watch(changed, (is) => (defaults.disabled = !is), signal);
  node.append(defaults);
  root.append(fold(name, node, signal));
  return node;
}

const PHONE = matchMedia("(max-width: 760px)");

/** Return what a phone folds away: elsewhere it is always open, and has no line to fold it by. */
function fold(name, node, signal) {
  const folded = h("details", { class: "fold" }, h("summary", {}, name), node);
  const follow = () => (folded.open = !PHONE.matches);
  PHONE.addEventListener("change", follow, { signal });
  follow();
  return folded;
}

/** Return the slider of the length of a list. */
export const sizeSlider = ({ store, status, signal }) =>
  slider({
    ...{ store, status, signal, name: "size", label: "Size" },
    ...{ least: 1, most: 100, ends: 50, whole: true, scale: { ...plain, step: 1 } },
    select: (state) => state.size,
    change: (value, stroke) => store.update({ size: value }, stroke),
  });

const byDefault = (side, sized) => ({
  [side]: {
    index: null,
    path: null,
    tail_share: null,
    diversity: null,
    min_probability: null,
    importance: null,
  },
  ...(sized ? { size: null } : {}),
});

function indexChoice({ store, status, signal, side }, change) {
  const options = status.indices.map(({ index, bundle, live }) => [
    live ? "" : index,
    `${index}${live ? " (live)" : ""}, bundle ${bundle.slice(0, 8)}`,
  ]);
  return watched(
    store,
    signal,
    "Index",
    options,
    (state) => state[side].index ?? "",
    (value) => change(value || null),
  );
}

function pathChoice({ store, status, signal, side }, change) {
  const options = PATHS.map((one) => [one === status.defaults.path ? "" : one, one]);
  return watched(
    store,
    signal,
    "Path",
    options,
    (state) => state[side].path ?? "",
    (value) => change(value || null),
  );
}
