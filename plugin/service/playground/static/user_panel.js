// Who the lists are for: somebody known, or somebody made up of words and a history.
import { draggable } from "./drag.js";
import { button, h, labelled, replace } from "./dom.js";
import { follow } from "./following.js";
import { count } from "./format.js";
import { itemList } from "./item_list.js";
import { picker } from "./picker.js";

/** Nobody: what stands in the state of whom a list is for. */
const NOBODY = { user: null, words: "", history: null, session: [], exclude: [], why: null };

/** Items of a history that the service brings along. */
const MOST_HISTORY = 100;

/**
 * @param {object} context
 * @param {HTMLElement} root
 */
export function userPanel({ store, api, catalogue, signal }, root) {
  let known = null;
  const who = h("div", { class: "who" });
  const words = h("textarea", {
    rows: 2,
    placeholder: "slow films about the sea",
    oninput: () => store.update({ words: words.value, why: null }, "words"),
  });
  const lists = {
    session: ownList("Liked now", { ...changing("session"), removal: "Take back" }),
    history: ownList("History", { ...changing("history"), lasting: true }),
    exclude: ownList("Left out", { ...changing("exclude"), removal: "Bring back", ordered: false }),
  };

  function changing(name) {
    return { catalogue, change: (ids) => store.update({ [name]: ids, why: null }) };
  }

  const current = () => store.state.history ?? known?.history.map((item) => item.item_id) ?? [];
  const add = (item_id) =>
    store.update({ history: [item_id, ...current().filter((id) => id !== item_id)], why: null });

  root.append(
    userPicker(api, (user) => store.update({ ...NOBODY, user })).node,
    who,
    labelled("In their own words", words),
    itemPicker(catalogue, "Add an item to the history", add).node,
    ...Object.values(lists).map(({ node }) => node),
  );

  store.watch(
    (state) => state.words,
    (value) => {
      if (words.value !== value) words.value = value;
    },
    signal,
  );

  const asKnown = () => store.update({ history: null, why: null });
  const nobody = () => store.update(NOBODY);

  function show() {
    const { user, history, session, exclude } = store.state;
    lists.session.show(session);
    lists.history.show(current(), describeHistory(known, history, asKnown));
    lists.exclude.show(exclude);
    const alone = h("p", {}, "Nobody known: made up of what stands below.");
    replace(who, user ? describeUser(user, known, nobody) : alone);
  }

  follow({
    store,
    signal,
    root: who,
    select: ({ user, history, session, exclude }) => ({ user, history, session, exclude }),
    async ask({ user, history, session, exclude }, aborted) {
      if (known?.user !== user) known = user ? await api.user({ user }, aborted) : null;
      catalogue.keep(known?.history ?? []);
      await catalogue.load([...(history ?? []), ...session, ...exclude], aborted);
      return known;
    },
    // what stands there is made of the state: of the newest one, or nothing new
    show: (_, __, newest) => newest && show(),
  });
}

/** Return a field that finds users by the beginning of their id. */
export const userPicker = (api, choose, label = "Pick a user") =>
  picker({
    label,
    placeholder: "an id, or its beginning",
    free: true,
    choose,
    async search(start, signal) {
      const { users, more, degraded } = await api.users({ start, size: 50 }, signal);
      const options = users.map(({ user_id, events }) => ({
        value: user_id,
        label: user_id,
        note: events === null || events === undefined ? "" : count(events, "event"),
      }));
      return { options, note: degraded ?? (more ? "There are more: type on." : "") };
    },
  });

/** Return a field that finds items by words. */
export const itemPicker = (catalogue, label, choose) =>
  picker({
    label,
    placeholder: "words of an item",
    choose,
    async search(words, signal) {
      const found = words ? await catalogue.search(words, signal) : [];
      const options = found.map((item) => ({
        value: item.item_id,
        label: catalogue.title(item),
        note: item.item_id,
      }));
      return { options };
    },
    dress: (node, { value }) => draggable(node, value, "search"),
  });

/** Return a list under its title; one that is not lasting comes up when there is something in it. */
function ownList(title, { lasting = false, ...of }) {
  const list = itemList({ ...of, name: title });
  const beside = h("div", { class: "beside" });
  const node = h("section", { class: "own" }, h("h3", {}, title), beside, list.node);
  return {
    node,
    show(ids, ...notes) {
      node.hidden = !ids.length && !lasting;
      replace(beside, ...notes);
      list.show(ids);
    },
  };
}

function describeUser(user, known, nobody) {
  const seen = known?.known ? count(known.seen, "item") : null;
  return [
    h(
      "p",
      {},
      h("strong", {}, user),
      " ",
      h("small", {}, seen ? `has met ${seen}` : "is not known"),
    ),
    button("Make somebody up", nobody, { class: "quiet" }),
  ];
}

function describeHistory(known, history, asKnown) {
  if (history && known?.known) {
    return [h("small", {}, "changed"), button("As it is known", asKnown, { class: "quiet" })];
  }
  const whole = (known?.history.length ?? 0) < MOST_HISTORY;
  return [h("small", {}, whole ? "newest first" : `the newest ${MOST_HISTORY}`)];
}
