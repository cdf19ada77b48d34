// The places of a list: what stands where, how probable it is, and what made it.
import { draggable } from "./drag.js";
import { h, replace, signButton } from "./dom.js";
import { probability } from "./format.js";

const SOURCES = {
  vector: "vector",
  tail: "tail",
  importance: "importance",
  co_occurrence: "co-occurrence",
  neighbours: "neighbours",
  share: "share",
  pin: "pin",
};

const MEANINGS = {
  vector: "near the profile",
  tail: "of the long tail",
  importance: "important to everybody",
  "co-occurrence": "chosen around items of the history",
  neighbours: "chosen by the users most alike",
  share: "a rule gives its kind a share of the places",
  pin: "a rule puts it here",
  cold: "nobody has chosen it yet",
};

/** Return the words for what made a place: first where it came from, then what else adds to it. */
export function badgesOf(place, item) {
  const all = [
    SOURCES[place.source] ?? place.source,
    place.co_occurrence > 0 && SOURCES.co_occurrence,
    place.neighbours > 0 && SOURCES.neighbours,
    place.tail && SOURCES.tail,
    item?.cold && "cold",
  ];
  return [...new Set(all.filter(Boolean))];
}

const badge = (word, at) =>
  h("li", { class: at ? "badge" : "badge first", title: MEANINGS[word] ?? null }, word);

/** Return a bar; its number stands beside it. */
export const bar = (share) =>
  h("span", {
    class: "bar",
    "aria-hidden": "true",
    style: { "--share": `${100 * Math.min(1, Math.max(0, share))}%` },
  });

/** Return the largest probability of a list: its bar is full. */
export const mostProbable = (items) => Math.max(...items.map((one) => one.probability ?? 0), 1e-9);

/** Return the title and the badges of a place. */
export function namePlace(place, catalogue) {
  const badges = badgesOf(place, catalogue.get(place.item_id));
  const title = catalogue.title(place);
  return h(
    "div",
    { class: "what" },
    h("span", { class: "title", title }, title),
    h(
      "div",
      { class: "about" },
      h("ul", { class: "badges", "aria-label": "Made by" }, badges.map(badge)),
      h("span", { class: "fields" }, catalogue.describe(place)),
    ),
  );
}

/**
 * Return a list whose places can be liked, left out and explained.
 * @param {object} of
 * @param {object} of.catalogue
 * @param {(item_id: string) => void} of.like
 * @param {(item_id: string) => void} of.dislike
 * @param {(item_id: ?string) => void} of.ask asks for the reasons of an item
 */
export function placeList({ catalogue, like, dislike, ask }) {
  const node = h("ol", { class: "places", "aria-label": "Recommended" });

  function row(place, at, most, why, reasons) {
    const { item_id } = place;
    const title = catalogue.title(place);
    const open = item_id === why;
    const explain = h(
      "button",
      {
        type: "button",
        class: "value",
        "aria-expanded": String(open),
        "aria-label": `${probability(place.probability)}: why ${title}`,
        "data-key": `why ${item_id}`,
        onclick: () => ask(open ? null : item_id),
      },
      bar((place.probability ?? 0) / most),
      h("span", { class: "number" }, probability(place.probability)),
    );
    const entry = h(
      "li",
      { "data-item": item_id },
      h("span", { class: "place" }, at + 1),
      namePlace(place, catalogue),
      explain,
      h(
        "span",
        { class: "tools" },
        signButton("+", `Like ${title}`, () => like(item_id), { "data-key": `like ${item_id}` }),
        signButton("−", `Leave out ${title}`, () => dislike(item_id), {
          "data-key": `out ${item_id}`,
        }),
      ),
      open && reasons,
    );
    return draggable(entry, item_id, "places");
  }

  return {
    node,
    /** @param {?Node} reasons of the item `why` */
    show(items, why, reasons) {
      const most = mostProbable(items);
      const before = offsets(node);
      replace(
        node,
        items.map((place, at) => row(place, at, most, why, reasons)),
      );
      glide(node, before);
    },
  };
}

/** Return where the rows of a list stand. */
const offsets = (list) =>
  new Map([...list.children].map((row) => [row.dataset.item, row.offsetTop]));

/** Let rows glide from where they stood, so that the eye can follow. */
function glide(list, before) {
  if (!before.size || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  // read before anything is animated: each look at the page afterwards would lay it out anew
  const after = offsets(list);
  for (const row of list.children) {
    const [from, to] = [before, after].map((all) => all.get(row.dataset.item));
    const frames =
      from === undefined
        ? [{ opacity: 0 }, { opacity: 1 }]
        : [{ transform: `translateY(${from - to}px)` }, { transform: "none" }];
    if (from !== to) row.animate(frames, { duration: 180, easing: "ease-out" });
  }
}
