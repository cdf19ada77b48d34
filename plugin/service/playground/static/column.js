// A list in a column beside another: a line for each place, and where it stands in the other list.
import { h } from "./dom.js";
import { probability } from "./format.js";
import { describeMove } from "./moves.js";
import { bar, mostProbable } from "./places.js";

/**
 * Return the rows of a column.
 * @param {object[]} items
 * @param {object} catalogue
 * @param {Map<string, object>} marks moves by item; empty where nobody may see them
 * @param {"from"|"to"} side of the moves that this list is
 */
export function columnRows(items, catalogue, marks, side) {
  const most = mostProbable(items);
  return items.map((place, at) => {
    const title = catalogue.title(place);
    return h(
      "li",
      { "data-item": place.item_id },
      h("span", { class: "place" }, at + 1),
      h("span", { class: "title", title }, title),
      markOf(marks.get(place.item_id), side),
      bar((place.probability ?? 0) / most),
      h("span", { class: "number" }, probability(place.probability)),
    );
  });
}

function markOf(move, side) {
  const { sign, words } = move ? describeMove(move, side) : { sign: "", words: "" };
  return h(
    "span",
    { class: "mark", title: words },
    h("span", { "aria-hidden": "true" }, sign),
    h("span", { class: "visually-hidden" }, words),
  );
}
