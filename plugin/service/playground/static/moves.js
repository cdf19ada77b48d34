// Draws where the places of one list are in another.
import { svg } from "./dom.js";

/** Height of a row in the units of the drawing; the page stretches it over the rows. */
const ROW = 10;
const WIDTH = 100;

/**
 * Return a drawing: a line for each item that stands in both lists.
 * @param {{item_id: string, from: ?number, to: ?number}[]} moved
 * @param {number} rows of the longer list
 */
export function movesDrawing(moved, rows) {
  const middle = (place) => (place - 0.5) * ROW;
  const lines = moved
    .filter(({ from, to }) => from && to)
    .map(({ item_id, from, to }) => {
      const [y, z] = [middle(from), middle(to)];
      return svg("path", {
        class: from === to ? "same" : from > to ? "up" : "down",
        "data-item": item_id,
        d: `M0 ${y} C${WIDTH / 2} ${y} ${WIDTH / 2} ${z} ${WIDTH} ${z}`,
      });
    });
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${rows * ROW}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
      style: { "--rows": rows },
    },
    lines,
  );
}

/** Return the sign of a move and its words; `side` says which of its places is meant. */
export function describeMove({ from, to }, side) {
  if (!to) return { sign: "gone", words: "not in the other list" };
  if (!from) return { sign: "new", words: "not in the other list" };
  if (from === to) return { sign: "=", words: "at the same place" };
  const [here, there] = side === "from" ? [from, to] : [to, from];
  const sign = `${here < there ? "↑" : "↓"}${Math.abs(here - there)}`;
  return { sign, words: `place ${there} in the other list` };
}
