// A list of items that a reader orders: by dragging, and by buttons.
import { draggable, dropBetween, dropOutside } from "./drag.js";
import { h, replace, signButton } from "./dom.js";

/**
 * @param {object} of
 * @param {string} of.name of the list, for those who do not see it
 * @param {object} of.catalogue
 * @param {(ids: string[]) => void} of.change
 * @param {boolean} [of.ordered] whether the order counts
 * @param {string} [of.removal] what it is to take an item out
 */
export function itemList({ name, catalogue, change, ordered = true, removal = "Remove" }) {
  let ids = [];
  const list = h("ol", { class: "items", "aria-label": name });

  const insert = (item_id, place) => {
    const before = ids.slice(0, place).filter((id) => id !== item_id);
    change([...before, item_id, ...ids.slice(place).filter((id) => id !== item_id)]);
  };
  const remove = (item_id) => change(ids.filter((id) => id !== item_id));
  dropBetween(list, insert);
  dropOutside(name, remove);

  function entry(item_id, at) {
    const title = catalogue.titleOf(item_id);
    const step = (sign, way, by) =>
      signButton(sign, `Move ${title} ${way}`, () => insert(item_id, by < 0 ? at - 1 : at + 2), {
        disabled: by < 0 ? at === 0 : at === ids.length - 1,
        "data-key": `${way} ${item_id}`,
      });
    return draggable(
      h(
        "li",
        {},
        h("span", { class: "name", title }, title),
        h(
          "span",
          { class: "tools" },
          ordered ? [step("↑", "up", -1), step("↓", "down", 1)] : null,
          signButton("×", `${removal} ${title}`, () => remove(item_id)),
        ),
      ),
      item_id,
      name,
    );
  }

  return {
    node: list,
    show(changed) {
      ids = changed;
      replace(list, ids.map(entry));
    },
  };
}
