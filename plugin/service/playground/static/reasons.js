// Why an item has its value: shares that add up to x, and the sigmoid that makes a probability of it.
import { h } from "./dom.js";
import { amount, probability, signed } from "./format.js";

/** Shares with a line of their own; the others are summed up in one. */
const MOST = 8;

const KINDS = {
  event: "chosen",
  words: "words",
  attributes: "attributes",
  cold_start_bonus: "cold item",
  profile: "profile",
  importance: "importance",
  neighbours: "neighbours",
};

const MEANINGS = {
  words: "the user's own words",
  attributes: "what is known of the user",
  cold_start_bonus: "the bonus of what nobody has chosen yet",
  profile: "history, words and attributes together",
  importance: "what the item's importance makes of the similarity",
  neighbours: "what the users most alike chose",
};

/**
 * Return the reasons of one item.
 * @param {object} reason as the service explains it
 * @param {?{b: number, t: number}} fitted of the sigmoid
 * @param {object} catalogue
 * @param {boolean} moved whether another index explains than has made the list
 */
export function describeReasons(reason, fitted, catalogue, moved) {
  const shares = reason.shares.filter((one) => one.amount !== null);
  const [first, others] = [shares.slice(0, MOST), shares.slice(MOST)];
  const lines = first.map((one) => [
    one.amount,
    KINDS[one.kind] ?? one.kind,
    whatOf(one, catalogue),
  ]);
  if (others.length) lines.push([sumOf(others), `${others.length} more`, ""]);
  const most = Math.max(...lines.map(([value]) => Math.abs(value)), 1e-9);
  const rows = lines.map((line) => row(most, ...line));
  return h(
    "div",
    { class: "reasons" },
    rows.length
      ? h(
          "table",
          {},
          h("caption", {}, "Why it has its value"),
          h("tbody", {}, rows),
          h("tfoot", {}, total(sumOf(shares), reason, fitted)),
        )
      : null,
    wordsFound(reason.words),
    moved ? h("p", { class: "note" }, `The index has changed: this is in ${reason.index}.`) : null,
    reason.degraded ? h("p", { class: "note" }, reason.degraded) : null,
  );
}

/** Return what stands there until the reasons are here. */
export const noReasonsYet = () => h("div", { class: "reasons", "aria-busy": "true" });

const sumOf = (shares) => shares.reduce((all, one) => all + one.amount, 0);

function row(most, value, kind, what) {
  const length = `${(100 * Math.abs(value)) / most}%`;
  return h(
    "tr",
    {},
    h("td", { class: "number" }, amount(value)),
    h(
      "td",
      { class: "way", "aria-hidden": "true" },
      h("span", { class: value < 0 ? "less" : "more", style: { width: length } }),
    ),
    h("th", { scope: "row" }, kind),
    h("td", { class: "what" }, what),
  );
}

function whatOf({ kind, item_id, similarity }, catalogue) {
  if (kind !== "event") return MEANINGS[kind] ?? "";
  const beside =
    similarity === null ? null : h("small", {}, ` similarity ${signed(similarity, 2)}`);
  return [catalogue.titleOf(item_id), beside];
}

/** Return what becomes of x before the sigmoid, by numbers where they are known. */
function describeOdds(sum, fitted) {
  if (!fitted) return "(x − b) / T";
  const [b, t] = [fitted.b, fitted.t].map((value) => Number(value.toFixed(4)));
  // not fitted: x is what the sigmoid is of
  if (b === 0 && t === 1) return signed(sum);
  return `(${signed(sum)} ${b < 0 ? "+" : "−"} ${Math.abs(b).toFixed(4)}) / ${signed(t)}`;
}

function total(sum, { raw, probability: p }, fitted) {
  const inner = describeOdds(sum, fitted);
  return h(
    "tr",
    {},
    h("td", { class: "number" }, signed(sum)),
    h("td", { class: "way", "aria-hidden": "true" }),
    h("th", { scope: "row" }, "x, the sum"),
    h(
      "td",
      { class: "what" },
      `sigmoid(${inner}) = ${probability(p)}`,
      // both are sums of the same floats: a difference beyond them would be an error of ours
      raw !== null && Math.abs(raw - sum) > 1e-3
        ? ` (OpenSearch computed x = ${signed(raw)})`
        : null,
    ),
  );
}

function wordsFound(words) {
  if (!words.length) return null;
  const each = words.map(({ field, word, score }) => `${word} in ${field} ${score.toFixed(2)}`);
  return h("p", {}, h("strong", {}, "Words that it contains: "), each.join(" · "));
}
