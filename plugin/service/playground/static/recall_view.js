// The recall of the graph for this very user: what approximate search finds of the exact list.
import { h, replace } from "./dom.js";
import { degradedLine, madeLine, onlyLine } from "./facts.js";
import { follow } from "./following.js";
import { probability } from "./format.js";
import { listBody } from "./requests.js";
import { settings } from "./settings.js";

export function recallView(context, root) {
  const { store, api, catalogue, signal } = context;
  const result = h("div", { class: "result" });
  settings(context, root, { without: ["path", "tail_share"] });
  root.append(result);
  follow({
    store,
    signal,
    root: result,
    // places of the tail come from another search, which is the same on both paths
    select: (state) => ({ ...listBody(state), tail_share: 0 }),
    async ask(body, aborted) {
      const [exact, ann] = await Promise.all(
        ["exact", "ann"].map((path) => api.list({ ...body, path }, aborted)),
      );
      return { exact, ann };
    },
    show: (found) => replace(result, ...describe(found, store, catalogue)),
  });
}

function describe({ exact, ann }, store, catalogue) {
  const reached = new Set(ann.items.map((one) => one.item_id));
  const missed = exact.items
    .map((item, at) => ({ item, place: at + 1 }))
    .filter(({ item }) => !reached.has(item.item_id));
  const found = exact.items.length - missed.length;
  if (!exact.items.length)
    return [
      onlyLine(store),
      degradedLine(exact),
      h("p", { class: "empty" }, "The exact list is empty."),
    ];
  return [
    onlyLine(store),
    degradedLine(exact) ?? degradedLine(ann),
    h(
      "p",
      { class: "verdict", role: "status" },
      h("strong", {}, `${((100 * found) / exact.items.length).toFixed(0)} %`),
      ` of the exact list is found by the graph: ${found} of ${exact.items.length}.`,
    ),
    h(
      "ol",
      { class: "cells", "aria-hidden": "true" },
      exact.items.map(({ item_id }) =>
        h("li", { class: reached.has(item_id) ? "found" : "missed" }),
      ),
    ),
    missed.length ? missedList(missed, catalogue) : h("p", {}, "Nothing was missed."),
    half("Exact", exact),
    half("By the graph", ann),
    h(
      "p",
      { class: "hint" },
      "Asked for without a tail share: its places come from another search, the same on both paths.",
    ),
  ];
}

const half = (name, answer) => h("section", { class: "half" }, h("h3", {}, name), madeLine(answer));

const missedList = (missed, catalogue) =>
  h(
    "section",
    {},
    h("h3", {}, "Missed"),
    h(
      "ol",
      { class: "hidden" },
      missed.map(({ item, place }) =>
        h(
          "li",
          { "data-item": item.item_id },
          h("span", { class: "title" }, catalogue.title(item)),
          h("span", { class: "number" }, `place ${place}, ${probability(item.probability)}`),
        ),
      ),
    ),
  );
