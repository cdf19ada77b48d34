// Hides the newest choices of the history, and looks at what places of the list they come back.
import { h, replace, svg } from "./dom.js";
import { degradedLine, madeLine } from "./facts.js";
import { follow } from "./following.js";
import { count } from "./format.js";
import { hits, ndcg, placesOf } from "./metrics.js";
import { describeSide } from "./requests.js";
import { settings } from "./settings.js";
import { plain, slider } from "./controls.js";

/** Places that are looked at, and those that the figures are about. */
const LENGTH = 100;
const DEPTH = 10;
const HIDDEN = 5;

export function holdoutView(context, root) {
  const { store, api, catalogue, signal } = context;
  const result = h("div", { class: "result" });
  const hidden = slider({
    store,
    signal,
    label: "Newest choices to hide",
    standard: HIDDEN,
    least: 1,
    most: 20,
    ends: 20,
    whole: true,
    scale: { ...plain, step: 1 },
    select: (state) => state.hidden,
    change: (value, stroke) => store.update({ hidden: value }, stroke),
  });
  settings(context, root, { without: ["size"] }).prepend(hidden);
  root.append(result);

  follow({
    store,
    signal,
    root: result,
    select: (state) => ({
      user: state.user,
      words: state.words,
      history: state.history,
      number: state.hidden ?? HIDDEN,
      options: { ...describeSide({ ...state, only: [], exclude: [] }, "left"), size: LENGTH },
    }),
    ask: (of, aborted) => askWithout(api, catalogue, of, aborted),
    show: (found) => replace(result, ...describe(found, catalogue)),
  });
}

/** Ask for the list of whoever has no more than the older part of a history. */
async function askWithout(api, catalogue, { user, words, history, number, options }, signal) {
  const known = user ? await api.user({ user }, signal) : null;
  catalogue.keep(known?.history ?? []);
  const whole = history ?? known?.history.map((one) => one.item_id) ?? [];
  // one choice at least stays in the profile
  const [hidden, older] = [whole.slice(0, number), whole.slice(number)];
  if (!older.length) return { hidden: [], answer: null };
  const [answer] = await Promise.all([
    // without the id of the user: what they have seen would never come back
    api.list(
      { ...options, words, history: older, ...(known ? { attributes: known.attributes } : {}) },
      signal,
    ),
    catalogue.load(hidden, signal),
  ]);
  return { hidden, answer };
}

function describe({ hidden, answer }, catalogue) {
  if (!answer) {
    return [
      h(
        "p",
        { class: "empty" },
        "The history is too short: pick a user with more choices, or hide fewer of them.",
      ),
    ];
  }
  const places = placesOf(
    hidden,
    answer.items.map((one) => one.item_id),
  );
  const found = hits(places, DEPTH);
  const back = hits(places, answer.items.length);
  return [
    degradedLine(answer),
    h(
      "p",
      { class: "verdict", role: "status" },
      h("strong", {}, `${found} of ${hidden.length}`),
      ` hidden ${hidden.length === 1 ? "choice comes" : "choices come"} back among the first ${DEPTH}: `,
      found ? "a hit" : "no hit",
      `, NDCG@${DEPTH} ${ndcg(places, DEPTH).toFixed(3)}. Among the first ${answer.items.length}: ${back}.`,
    ),
    strip(places, answer.items.length),
    h(
      "ol",
      { class: "hidden", "aria-label": "Hidden choices, newest first" },
      places.map((one) => entry(one, answer, catalogue)),
    ),
    h(
      "p",
      { class: "hint" },
      `The list is made of ${count(answer.items.length, "place")}, without the hidden choices and without the user’s id. `,
      "One user says little: seealso evaluate asks for all of them.",
    ),
    h(
      "p",
      { class: "note" },
      h("strong", {}, "Note: "),
      "what was fitted to events has learnt the hidden choices, too, so it finds more of them than ",
      "of choices to come. seealso evaluate hides them before it fits.",
    ),
    madeLine(answer),
  ];
}

function entry({ item_id, place }, answer, catalogue) {
  const title = catalogue.titleOf(item_id);
  return h(
    "li",
    { "data-item": item_id, class: place !== null && place <= DEPTH ? "hit" : null },
    h("span", { class: "title", title }, title),
    h(
      "span",
      { class: "number" },
      place === null ? `not among ${answer.items.length}` : `place ${place}`,
    ),
  );
}

/** Return the places as a line from the first to the last, with a dot for each that came back. */
function strip(places, length) {
  const x = (place) => 2 + (94 * (place - 1)) / Math.max(1, length - 1);
  const dots = places
    .filter(({ place }) => place !== null)
    .map(({ place }) =>
      svg("circle", { cx: `${x(place)}%`, cy: 14, r: 5, class: place <= DEPTH ? "hit" : null }),
    );
  return svg(
    "svg",
    { class: "strip", height: 40, width: "100%", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 8, width: `${x(DEPTH) + 0.5}%`, height: 12, rx: 6 }),
    svg("line", { x1: 0, x2: "100%", y1: 14, y2: 14 }),
    dots,
    [...new Set([1, DEPTH, length])].map((place) =>
      svg("text", { x: `${x(place)}%`, y: 36, "text-anchor": "middle" }, String(place)),
    ),
  );
}
