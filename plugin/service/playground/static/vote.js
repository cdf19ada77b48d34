// The blind vote: the lists change sides at random and have no names until somebody has voted.
import { button, h, replace } from "./dom.js";
import { problemLine } from "./following.js";
import { count } from "./format.js";
import { without } from "./requests.js";

const SIDES = ["left", "right"];

/**
 * @param {object} context
 * @param {object} of
 * @param {{left: ?object, right: ?object}} of.answers with the `request` of each
 * @param {() => void} of.changed draws the lists anew
 */
export function blindVote({ store, api, status }, { answers, changed }) {
  let order = SIDES;
  let revealed = false;
  let votes = status.votes;
  const problem = problemLine();
  const body = h("div");
  const box = h("input", {
    type: "checkbox",
    onchange: () => store.update({ blind: box.checked || null }),
  });
  const toggle = h("label", { class: "toggle" }, box, "Blind vote");
  const node = h(
    "section",
    { class: "vote", "aria-label": "Vote", hidden: true },
    problem.node,
    body,
  );

  const describe = (side) => {
    const { request, index, bundle, items } = answers[side];
    return {
      request: without(request, "index"),
      index,
      bundle,
      items: items.map((one) => one.item_id),
    };
  };

  async function cast(better) {
    try {
      ({ votes } = await api.vote({ better, left: describe(order[0]), right: describe(order[1]) }));
      problem.clear();
      revealed = true;
      changed();
    } catch (error) {
      problem.say(error);
    }
  }

  function again() {
    shuffle();
    changed();
  }

  function shuffle() {
    revealed = false;
    order = store.state.blind && Math.random() < 0.5 ? [...SIDES].reverse() : SIDES;
  }

  const question = () => [
    h("p", {}, "Which list is better for this user?"),
    h(
      "div",
      { class: "choices" },
      button("Left is better", () => cast("left")),
      button("The same", () => cast("same")),
      button("Right is better", () => cast("right")),
    ),
  ];

  const outcome = () => [
    h(
      "p",
      { role: "status" },
      `Saved: ${count(votes, "vote")} so far. What stands on the left was asked for as “${order[0]}”.`,
    ),
    button("Vote again", again),
  ];

  return {
    toggle,
    node,
    get order() {
      return order;
    },
    get active() {
      return Boolean(store.state.blind);
    },
    /** Whether nobody may see which list is which. */
    get hidden() {
      return Boolean(store.state.blind) && !revealed;
    },
    reset: shuffle,
    show() {
      box.checked = Boolean(store.state.blind);
      node.hidden = !store.state.blind;
      replace(body, revealed ? outcome() : question());
    },
  };
}
