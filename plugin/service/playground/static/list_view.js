// The list of the user, its settings, and the same as text for other programs.
import { newestOf } from "./api.js";
import { copyPanel } from "./copy_panel.js";
import { h, replace } from "./dom.js";
import { degradedLine, madeLine, onlyLine } from "./facts.js";
import { follow, problemLine } from "./following.js";
import { count } from "./format.js";
import { calibration } from "./metrics.js";
import { placeList } from "./places.js";
import { describeReasons, noReasonsYet } from "./reasons.js";
import { listBody, reasonsBody } from "./requests.js";
import { settings } from "./settings.js";

export function listView(context, root) {
  const { store, api, catalogue, signal } = context;
  const summary = h("p", { class: "visually-hidden", role: "status" });
  const [above, below] = [h("div"), h("div")];
  const places = placeList({
    catalogue,
    like: (id) =>
      store.update({
        session: [id, ...store.state.session.filter((one) => one !== id)],
        why: null,
      }),
    dislike: (id) => store.update({ exclude: [...store.state.exclude, id], why: null }),
    ask: (why) => store.update({ why }),
  });
  settings(context, root);
  root.append(summary, above, places.node, below);
  copyPanel(context, root);

  /** The list that stands there, and what it was asked for with. */
  let [answer, request] = [null, null];
  /** What stands below the open place: its reasons, or that they are asked for. */
  let reasons = null;
  const newestReasons = newestOf(api.reasons);

  const draw = () => places.show(answer.items, store.state.why, reasons?.node);

  function show(made, body, newest) {
    [answer, request] = [made.answer, body];
    const found = answer.items.length;
    summary.textContent = `${count(found, "place")}, ${answer.took_ms.total?.toFixed(0) ?? "?"} milliseconds`;
    replace(above, onlyLine(store), degradedLine(answer));
    const empty = h(
      "p",
      { class: "empty" },
      "No item is left: the settings leave all of them out.",
    );
    replace(below, found ? null : empty, madeLine(answer, made.milliseconds));
    open();
    // no list waits for what stands beside it
    loadBadges();
    if (newest) explain();
  }

  /** Draw the list with its open place; reasons that stood there stay until the new ones are here. */
  function open() {
    const { why } = store.state;
    const held = answer.items.some(({ item_id }) => item_id === why);
    if (!held) reasons = null;
    else if (reasons?.why !== why) reasons = { why, node: noReasonsYet() };
    reasons?.node.setAttribute("aria-busy", "true");
    draw();
  }

  async function explain() {
    if (!reasons) return;
    const [{ why }, of] = [reasons, answer];
    const node = await describe(why).catch((error) => sayProblem(error, explain));
    if (!node || signal.aborted || of !== answer || why !== reasons?.why) return;
    reasons = { why, node };
    draw();
  }

  async function describe(why) {
    const found = await newestReasons(reasonsBody(request, why));
    if (!found) return null;
    const [reason] = found.reasons;
    // without titles, events are named by their ids
    const events = reason.shares.map((one) => one.item_id).filter(Boolean);
    await catalogue.load(events, signal).catch(() => null);
    const moved = reason.index !== answer.index || reason.bundle !== answer.bundle;
    return describeReasons(reason, calibration(answer.items), catalogue, moved);
  }

  /** Fetch what a list does not say: which items are cold. */
  async function loadBadges() {
    const [ids, of] = [answer.items.map((one) => one.item_id), answer];
    if (ids.every((id) => catalogue.get(id))) return;
    // a list without badges is still a list
    const more = await catalogue.load(ids, signal).then(
      () => true,
      () => false,
    );
    if (more && of === answer) draw();
  }

  follow({
    store,
    signal,
    root: places.node,
    select: (state) => listBody(state),
    async ask(body, aborted) {
      const begun = performance.now();
      const made = await api.list(body, aborted);
      return { answer: made, milliseconds: performance.now() - begun };
    },
    show,
  });
  store.watch(
    ({ why }) => why,
    () => {
      if (!answer) return;
      open();
      explain();
    },
    signal,
  );
}

function sayProblem(error, again) {
  const problem = problemLine(again);
  problem.say(error);
  return h("div", { class: "reasons" }, problem.node);
}
