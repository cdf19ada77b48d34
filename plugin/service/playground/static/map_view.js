// The map: where items, the user and the list are among each other; what is circled filters the list.
import { button, h, replace } from "./dom.js";
import { degradedLine, onlyLine } from "./facts.js";
import { follow } from "./following.js";
import { count, percent, whole } from "./format.js";
import { drawMap } from "./plot.js";
import { picker } from "./picker.js";
import { describeUser, listBody } from "./requests.js";
import { settings } from "./settings.js";
import { slider } from "./controls.js";

const SIZE = 5000;

/** Part of the width of the map that a radius is by default. */
const RADIUS = 0.1;

export function mapView(context, root) {
  const { store, api, catalogue, signal } = context;
  const [above, summary, beside] = [
    h("div"),
    h("p", { class: "hint", role: "status" }),
    h("div", { class: "near" }),
  ];
  const plot = h("div", { class: "plot", "aria-label": "Map of the catalogue", role: "region" });
  let found = null;
  let points = [];

  const filter = (ids) => ids.length && store.update({ only: ids, why: null });
  const drawing = drawMap(plot, { lasso: filter, signal });

  settings(context, root);
  root.append(above, plot, summary, beside);
  beside.append(...nearControls());

  function nearControls() {
    const choose = picker({
      label: "Items around",
      placeholder: "words of an item",
      choose: (near) => store.update({ near }),
      async search(words) {
        const sought = words.toLowerCase();
        const options = points
          .map((item) => ({ value: item.item_id, label: catalogue.title(item) }))
          .filter(({ label }) => label.toLowerCase().includes(sought));
        return { options: options.slice(0, 20) };
      },
    });
    const radius = slider({
      store,
      signal,
      label: "Radius, as a part of the map’s width",
      standard: RADIUS,
      most: 1,
      ends: 0.5,
      select: (state) => state.radius,
      change: (value, stroke) => store.update({ radius: value }, stroke),
    });
    return [choose.node, radius, h("div", { class: "around" })];
  }

  function showNear() {
    const { near } = store.state;
    const inside = near ? around(points, near, store.state.radius ?? RADIUS) : [];
    const line = !near
      ? []
      : inside.length
        ? [
            h("span", {}, `${count(inside.length, "item")} around ${catalogue.titleOf(near)} `),
            button("Only these in the list", () => filter(inside.map((item) => item.item_id))),
            button("No circle", () => store.update({ near: null }), { class: "quiet" }),
          ]
        : [h("span", {}, `${catalogue.titleOf(near)} is not on the map.`)];
    replace(beside.querySelector(".around"), ...line);
    drawing.circle(inside);
  }

  follow({
    store,
    signal,
    root: plot,
    select: (state) => ({ index: state.left.index }),
    async ask({ index }, aborted) {
      const [map] = await Promise.all([
        api.map({ size: SIZE, ...(index ? { index } : {}) }, aborted),
        drawing.ready,
      ]);
      return map;
    },
    show(map) {
      ({ items: points } = map);
      found = map;
      catalogue.keep(points.filter(({ item_id }) => !catalogue.get(item_id)));
      summary.textContent = describeMap(map);
      drawing.items(points, (item) => catalogue.title(item));
      showNear();
      showList();
    },
  });

  let list = null;
  const showList = () => found && list && drawing.list(list, (item) => catalogue.title(item));

  follow({
    store,
    signal,
    root: above,
    select: (state) => ({ body: listBody(state), who: describeUser(state) }),
    async ask({ body, who }, aborted) {
      const answer = await api.list(body, aborted);
      const items = answer.items.map((one) => one.item_id);
      const place = await api.place({ ...who, index: body.index ?? null, items }, aborted);
      return { ...place, order: items, degraded: answer.degraded };
    },
    show(answer) {
      list = answer;
      replace(above, onlyLine(store), degradedLine(answer), absentLine(answer));
      showList();
    },
  });
  store.watch((state) => [state.near, state.radius], showNear, signal);
}

/** Return the items within a radius of one, as a part of the width of the map. */
export function around(points, item_id, radius) {
  const middle = points.find((one) => one.item_id === item_id);
  if (!middle) return [];
  const xs = points.map(({ x }) => x);
  const reach = radius * (Math.max(...xs) - Math.min(...xs));
  return points.filter(({ x, y }) => Math.hypot(x - middle.x, y - middle.y) <= reach);
}

/** Return the line that says who and what has no place on the map; nothing where all have one. */
function absentLine({ user, unknown }) {
  const absent = [
    user ? null : "the user",
    unknown.length ? `${count(unknown.length, "place")} of the list` : null,
  ].filter(Boolean);
  if (!absent.length) return null;
  return h("p", { class: "note" }, `Not on the map, for want of a vector: ${absent.join(", ")}.`);
}

function describeMap({ items, documents, explained, degraded }) {
  const sample = items.length < documents ? `, a sample of ${whole(documents)}` : "";
  const shares = explained.map((share) => percent(share, 1)).join(" and ");
  return [
    `${count(items.length, "item")}${sample}. The two directions explain ${shares} of the differences between items.`,
    degraded,
  ]
    .filter(Boolean)
    .join(" ");
}
