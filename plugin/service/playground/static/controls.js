// Controls of one value of the state: a slider with its number, and a choice.
import { choice, h, labelled, newId } from "./dom.js";

/** Ends of the slider of probabilities; below the first it says 0. */
const [LEAST, MOST] = [1e-4, 0.99];
const POWERS = Math.log10(MOST / LEAST);

/** Steps of that slider. */
export const STEPS = 100;

export const plain = { step: 0.01, toSlider: (value) => value, toValue: (place) => place };

/** Most probabilities are small: their slider goes by powers of ten. */
export const powers = {
  step: "any",
  toSlider: (value) => (value < LEAST ? 0 : 1 + (Math.log10(value / LEAST) / POWERS) * (STEPS - 1)),
  toValue: (place) =>
    place < 1 ? 0 : Number((LEAST * 10 ** ((POWERS * (place - 1)) / (STEPS - 1))).toPrecision(2)),
};

/**
 * Return a slider, and the same as a number to be typed.
 * @param {object} of
 * @param {object} of.store
 * @param {AbortSignal} of.signal ends it
 * @param {string} of.label
 * @param {number} [of.least]
 * @param {number} of.most the largest number that may be typed
 * @param {number} of.ends where the slider ends
 * @param {number} [of.standard] what it is where the state says nothing
 * @param {boolean} [of.whole]
 * @param {typeof plain} [of.scale] of the slider
 * @param {(state: object) => ?number} of.select
 * @param {(value: ?number, stroke: string) => void} of.change gets null for the standard
 */
export function slider({
  store,
  signal,
  label,
  least = 0,
  most,
  ends,
  standard = least,
  whole = false,
  scale = plain,
  select,
  change,
}) {
  const [labelId, stroke] = [newId(), newId()];
  const range = h("input", {
    type: "range",
    min: least,
    max: ends,
    step: scale.step,
    "aria-labelledby": labelId,
    oninput: () => set(scale.toValue(Number(range.value))),
  });
  const number = h("input", {
    type: "number",
    min: least,
    max: most,
    step: whole ? 1 : "any",
    "aria-label": `${label}, as a number`,
    oninput: () => number.value !== "" && number.validity.valid && set(Number(number.value)),
    onblur: () => show(select(store.state)),
  });
  const node = h("div", { class: "slider" }, h("label", { id: labelId }, label), number, range);

  const set = (value) => change(value === standard ? null : value, stroke);
  function show(value) {
    const current = value ?? standard;
    range.value = scale.toSlider(current);
    range.style.setProperty("--filled", `${(100 * (range.value - least)) / (ends - least)}%`);
    range.setAttribute("aria-valuetext", String(current));
    // who types is not interrupted
    if (document.activeElement !== number) number.value = current;
    node.classList.toggle("changed", value !== null);
  }
  store.watch(select, show, signal);
  return node;
}

/**
 * Return a select under its label.
 * @param {object} of
 * @param {object} of.store
 * @param {AbortSignal} of.signal ends it
 * @param {string} of.label
 * @param {[string, string][]} of.options values and what they are called; the first is the standard
 * @param {(state: object) => ?string} of.select
 * @param {(value: ?string) => void} of.change gets null for the standard
 */
export function chooser({ store, signal, label, options, select, change }) {
  const [[standard]] = options;
  const node = choice(options, standard, (value) => change(value === standard ? null : value));
  store.watch(
    select,
    (value) => {
      const current = value ?? standard;
      // an address may name an index that is gone: the answer says so, and it is shown here
      if (!options.some(([one]) => one === current))
        node.append(h("option", { value: current }, current));
      node.value = current;
    },
    signal,
  );
  return labelled(label, node);
}
