// A list for several people, and what each of them gets of it.
import { SEEN, STRATEGIES, userOf } from "./address.js";
import { button, h, labelled, replace, signButton } from "./dom.js";
import { degradedLine, madeLine, onlyLine } from "./facts.js";
import { follow } from "./following.js";
import { count, percent, probability } from "./format.js";
import { bar } from "./places.js";
import { describeUser, groupBody, without } from "./requests.js";
import { settings } from "./settings.js";
import { chooser, slider } from "./controls.js";
import { userPicker } from "./user_panel.js";

/** Members with a column each. */
const COLUMNS = 8;

export function groupView(context, root) {
  const { store, api, status, signal } = context;
  const members = h("ul", { class: "members", "aria-label": "Members" });
  const words = h("input", { type: "text", placeholder: "what a member says of themselves" });
  const result = h("div", { class: "result" });
  const add = (member) => store.update({ members: [...store.state.members, member], group: null });
  const addWords = (event) => {
    event.preventDefault();
    if (words.value.trim()) add({ words: words.value.trim() });
    words.value = "";
  };
  const builder = h(
    "fieldset",
    { class: "builder" },
    h("legend", {}, "Members"),
    userPicker(api, add, "Add a user").node,
    h(
      "form",
      { onsubmit: addWords },
      labelled("Add somebody by words", words),
      h("button", { type: "submit" }, "Add"),
    ),
    button("Add the user of this page", () => add(memberOf(store.state)), { class: "quiet this" }),
    status.groups.length ? groupChoice(context) : null,
    members,
  );
  store.watch(
    (state) => [state.members, state.group],
    ([list, group]) => replace(members, group ? [] : list.map((one, at) => entry(one, at))),
    signal,
  );
  store.watch(
    (state) => !memberOf(state),
    (nobody) => (builder.querySelector(".this").disabled = nobody),
    signal,
  );

  function entry(member, at) {
    const name = nameOf(member);
    const others = () => store.state.members.filter((_, place) => place !== at);
    return h(
      "li",
      {},
      h("span", { class: "name" }, name),
      signButton("×", `Remove ${name}`, () => store.update({ members: others() })),
    );
  }

  root.append(builder);
  settings(context, root).append(...groupSettings(context));
  root.append(result);
  follow({
    store,
    signal,
    root: result,
    select: groupBody,
    ask: (body, aborted) => askGroup(api, body, aborted),
    show: (found) => replace(result, ...(found ? describeGroup(context, found) : nobodyYet())),
  });
}

const nobodyYet = () => [
  h("p", { class: "empty" }, "Add members, and the list for all of them stands here."),
];

/** Return the user of the page as a member; null for nobody. */
function memberOf(state) {
  const { user, ...own } = describeUser(state);
  if (!Object.keys(own).length) return user ?? null;
  return user ? { user, ...own } : own;
}

const nameOf = (member) =>
  typeof member === "string"
    ? member
    : [
        member.user,
        member.words,
        member.history && count(member.history.length, "item"),
        member.session && `${count(member.session.length, "item")} liked now`,
      ]
        .filter(Boolean)
        .join(", ");

/** Return what the service calls a member. */
const calledBy = (member, at) => userOf(member) ?? `member ${at + 1}`;

function groupChoice({ store, status, signal }) {
  return chooser({
    store,
    signal,
    label: "Or a known group",
    options: [["", "the members below"], ...status.groups.map((one) => [one, one])],
    select: (state) => state.group,
    change: (group) => store.update({ group }),
  });
}

function groupSettings({ store, signal }) {
  const choose = (name, label, values) =>
    chooser({
      store,
      signal,
      label,
      options: [["", "by default"], ...values.map((one) => [one, one])],
      select: (state) => state[name],
      change: (value) => store.update({ [name]: value }),
    });
  const weight = slider({
    store,
    signal,
    label: "Weight of its own history",
    most: 1,
    ends: 1,
    select: (state) => state.own_weight,
    change: (own_weight, stroke) => store.update({ own_weight }, stroke),
  });
  store.watch(
    (state) => state.group,
    (group) => (weight.hidden = !group),
    signal,
  );
  const seen = choose("seen", "Left out is what was seen by", SEEN);
  return [choose("strategy", "Strategy", STRATEGIES), seen, weight];
}

/** Ask for the list of a group, and for what each member would get alone. */
async function askGroup(api, body, signal) {
  const { members = [], ...others } = body;
  const options = without(others, "group", "strategy", "seen", "own_weight");
  const alone = members.length <= COLUMNS ? members : [];
  const [answer, ...lists] = await Promise.all([
    api.group(body, signal),
    ...alone.map((member) =>
      api.list({ ...options, ...(typeof member === "string" ? { user: member } : member) }, signal),
    ),
  ]);
  // by name: the service leaves out members of whom nothing is known
  const best = new Map(
    lists.map(({ items }, at) => [
      calledBy(members[at], at),
      mean(items.map((item) => item.probability)),
    ]),
  );
  return { answer, best };
}

const mean = (values) => {
  const known = values.filter((one) => one !== null && one !== undefined);
  return known.length ? known.reduce((sum, one) => sum + one, 0) / known.length : null;
};

function describeGroup({ store, catalogue }, { answer, best }) {
  const means = answer.members.map((name) => mean(answer.items.map((item) => item.members[name])));
  return [
    onlyLine(store),
    degradedLine(answer),
    satisfaction(answer, means, best),
    placesTable(answer, catalogue),
    answer.members.length > COLUMNS
      ? h("p", { class: "hint" }, `The first ${COLUMNS} of ${answer.members.length} members have a column.`)
      : null,
    madeLine(answer),
  ];
}

/** Return what each member gets of the list, beside what a list of their own would give them. */
function satisfaction(answer, means, best) {
  const most = Math.max(...means.filter(Boolean), 1e-9);
  const rows = answer.members.map((name, at) => {
    const own = best.get(name);
    const share = own && means[at] !== null ? means[at] / own : null;
    return h(
      "li",
      {},
      h("span", { class: "name" }, name),
      bar(share ?? (means[at] ?? 0) / most),
      h("span", { class: "number" }, share === null ? probability(means[at]) : percent(share)),
    );
  });
  const what = best.size
    ? "Mean probability of the list for each member, as a share of what a list of their own would give"
    : "Mean probability of the list for each member";
  return h(
    "section",
    { class: "satisfaction" },
    h("h3", {}, "Satisfaction"),
    h("p", { class: "hint" }, `${what}. Strategy: ${answer.strategy}.`),
    h("ul", {}, rows),
  );
}

function placesTable(answer, catalogue) {
  const columns = answer.members.slice(0, COLUMNS);
  const head = ["Place", "Item", "Mean", ...columns].map((name) => h("th", { scope: "col" }, name));
  const rows = answer.items.map((item, at) =>
    h(
      "tr",
      { "data-item": item.item_id },
      h("td", { class: "place" }, at + 1),
      h("th", { scope: "row" }, catalogue.title(item)),
      [item.probability, ...columns.map((name) => item.members[name])].map((value) =>
        h("td", { class: "number" }, probability(value)),
      ),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "The list of the group" },
    h("table", { class: "grid" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}
