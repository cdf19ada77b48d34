// Two lists side by side: how alike they are, what moved, and a vote that does not know which is which.
import { columnRows } from "./column.js";
import { h, replace } from "./dom.js";
import { degradedLine, madeLine, onlyLine } from "./facts.js";
import { follow } from "./following.js";
import { movesDrawing } from "./moves.js";
import { jaccard, moves, rbo } from "./overlap.js";
import { listBody } from "./requests.js";
import { settings, sizeSlider } from "./settings.js";
import { blindVote } from "./vote.js";

const SIDES = ["left", "right"];

export function compareView(context, root) {
  const { store, api, catalogue, signal } = context;
  const answers = { left: null, right: null };
  const controls = h("div", { class: "sides" });
  for (const side of SIDES)
    settings(context, controls, { side, title: titleOf(side), without: ["size"] });

  const columns = SIDES.map(() => h("ol", { class: "column" }));
  const headings = SIDES.map(() => h("h3"));
  const facts = SIDES.map(() => h("div"));
  const [overlap, gutter, above] = [
    h("div", { class: "overlap", role: "status" }),
    h("div", { class: "gutter" }),
    h("div"),
  ];
  const vote = blindVote(context, { answers, changed: show });
  const board = h(
    "div",
    { class: "board" },
    headings[0],
    h("span"),
    headings[1],
    columns[0],
    gutter,
    columns[1],
    facts[0],
    h("span"),
    facts[1],
  );
  const common = h("div", { class: "common" }, sizeSlider(context), vote.toggle);
  root.append(common, controls, above, overlap, board, vote.node);

  function show() {
    controls.hidden = vote.hidden;
    replace(above, onlyLine(store));
    const order = vote.order;
    order.forEach((side, at) => {
      headings[at].textContent = vote.active && vote.hidden ? `List ${"AB"[at]}` : headingOf(side);
      columns[at].setAttribute("aria-label", headings[at].textContent);
    });
    if (SIDES.some((side) => !answers[side])) return;
    const [before, after] = order.map((side) => answers[side]);
    const moved = moves(idsOf(before), idsOf(after));
    replace(overlap, ...(vote.hidden ? [] : describeOverlap(before, after)));
    const marks = vote.hidden ? new Map() : new Map(moved.map((one) => [one.item_id, one]));
    [before, after].forEach((answer, at) => {
      replace(columns[at], columnRows(answer.items, catalogue, marks, at === 0 ? "from" : "to"));
      replace(facts[at], ...(vote.hidden ? [] : [degradedLine(answer), madeLine(answer)]));
    });
    const rows = Math.max(before.items.length, after.items.length);
    gutter.replaceChildren(...(vote.hidden ? [] : [movesDrawing(moved, rows)]));
    vote.show();
  }

  const headingOf = (side) => {
    const answer = answers[side];
    return answer ? `${titleOf(side)}: ${answer.path}` : titleOf(side);
  };

  for (const side of SIDES) {
    follow({
      store,
      signal,
      root: columns[SIDES.indexOf(side)],
      at: board,
      select: (state) => listBody(state, side),
      ask: (body, aborted) => api.list(body, aborted),
      show(answer, body) {
        answers[side] = { ...answer, request: body };
        vote.reset();
        show();
      },
    });
  }
  store.watch(
    (state) => state.blind,
    () => (vote.reset(), show()),
    signal,
  );
}

const titleOf = (side) => (side === "left" ? "Left" : "Right");
const idsOf = (answer) => answer.items.map((one) => one.item_id);

function describeOverlap(before, after) {
  const [one, other] = [idsOf(before), idsOf(after)];
  const common = one.filter((id) => other.includes(id)).length;
  const figure = (name, value, meaning) =>
    h(
      "div",
      { title: meaning },
      h("dt", {}, name),
      h("dd", {}, value === null ? "–" : value.toFixed(3)),
    );
  return [
    h(
      "dl",
      {},
      figure(
        "RBO, p = 0.9",
        rbo(one, other),
        "Rank-biased overlap: what stands high counts most; 1 is the same order",
      ),
      figure("Jaccard", jaccard(one, other), "Common items among all items of both lists"),
    ),
    h("p", {}, `${common} of ${Math.max(one.length, other.length)} in common`),
  ];
}
