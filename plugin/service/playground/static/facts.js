// What stands above and below every list: what was left out, and how it was made.
import { button, h } from "./dom.js";
import { count, took } from "./format.js";

/** Return the line that says what was left out or guessed; nothing where nothing was. */
export const degradedLine = (answer) =>
  answer.degraded ? h("p", { class: "note" }, h("strong", {}, "Note: "), answer.degraded) : null;

/** Return how a list was made. */
export const madeLine = (answer, milliseconds = null) =>
  h(
    "p",
    { class: "facts" },
    `path ${answer.path} · ${answer.index} · bundle ${answer.bundle.slice(0, 8)}`,
    h("br"),
    took(answer.took_ms),
    milliseconds === null ? "" : ` · here after ${milliseconds.toFixed(0)} ms`,
  );

/** Return the line that says that some items alone are looked at, with the way out of it. */
export function onlyLine(store) {
  const { only } = store.state;
  if (!only.length) return null;
  return h(
    "p",
    { class: "note" },
    `Only ${count(only.length, "item")} of the map. `,
    button("All items again", () => store.update({ only: [], why: null }), {
      "data-key": "all items",
    }),
  );
}
