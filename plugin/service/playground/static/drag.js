// Drag and drop of items. Whatever can be dragged has buttons that do the same.

/** What is under way: the id of an item, and the list that it comes from. */
let dragged = null;

/** Let an element be dragged that stands for an item. */
export function draggable(node, item_id, origin) {
  node.draggable = true;
  node.addEventListener("dragstart", (event) => {
    dragged = { item_id, origin };
    event.dataTransfer.setData("text/plain", item_id);
    event.dataTransfer.effectAllowed = "move";
    // only then: what is changed at once changes the picture that is dragged, too
    setTimeout(() => {
      if (!dragged) return;
      node.classList.add("dragged");
      document.body.dataset.dragging = origin;
    });
  });
  node.addEventListener("dragend", () => {
    dragged = null;
    node.classList.remove("dragged");
    delete document.body.dataset.dragging;
  });
  return node;
}

/**
 * Let items be dropped between the children of a list.
 * @param {HTMLElement} list
 * @param {(item_id: string, place: number) => void} drop
 */
export function dropBetween(list, drop) {
  const mark = (place) =>
    [...list.children].forEach((child, at) => {
      child.classList.toggle("before", at === place);
      child.classList.toggle("after", at + 1 === place && place === list.children.length);
    });
  const placeAt = (y) => {
    const after = [...list.children].findIndex((child) => {
      const { top, height } = child.getBoundingClientRect();
      return y < top + height / 2;
    });
    return after < 0 ? list.children.length : after;
  };
  list.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    event.stopPropagation();
    mark(placeAt(event.clientY));
  });
  list.addEventListener("dragleave", () => mark(-1));
  list.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    event.stopPropagation();
    mark(-1);
    drop(dragged.item_id, placeAt(event.clientY));
  });
}

/** Let items of a list be dropped anywhere else on the page: they leave it. */
export function dropOutside(origin, drop) {
  const leaving = () => dragged?.origin === origin;
  document.addEventListener("dragover", (event) => leaving() && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!leaving()) return;
    event.preventDefault();
    drop(dragged.item_id);
  });
}
