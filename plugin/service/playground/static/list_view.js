// The list of the user, its settings, and the same as text for other programs.
import { copyPanel } from "./copy_panel.js";
import { h, replace } from "./dom.js";
import { degradedLine, madeLine, onlyLine } from "./facts.js";
import { follow } from "./following.js";
import { count } from "./format.js";
import { calibration } from "./metrics.js";
import { placeList } from "./places.js";
import { describeReasons } from "./reasons.js";
import { listBody } from "./requests.js";
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

  function show({ answer, milliseconds }, { why }) {
    const found = answer.items.length;
    summary.textContent = `${count(found, "place")}, ${answer.took_ms.total?.toFixed(0) ?? "?"} milliseconds`;
    replace(above, onlyLine(store), degradedLine(answer));
    const empty = h(
      "p",
      { class: "empty" },
      "No item is left: the settings leave all of them out.",
    );
    replace(below, found ? null : empty, madeLine(answer, milliseconds));
    const reason = answer.reasons?.find((one) => one.item_id === why);
    const draw = () =>
      places.show(
        answer.items,
        why,
        reason && describeReasons(reason, calibration(answer.items), catalogue),
      );
    draw();
    loadBeside(answer, reason).then((more) => more && draw());
  }

  /** Fetch what a list does not say: which items are cold, and the titles of those in the reasons. */
  async function loadBeside(answer, reason) {
    const events = reason?.shares.map((one) => one.item_id).filter(Boolean) ?? [];
    const ids = [...answer.items.map((one) => one.item_id), ...events];
    if (ids.every((id) => catalogue.get(id))) return false;
    // a list without badges is still a list
    return catalogue.load(ids, signal).then(
      () => true,
      () => false,
    );
  }

  follow({
    store,
    signal,
    root: places.node,
    select: (state) => ({ ...listBody(state), why: state.why }),
    async ask({ why, ...body }, aborted) {
      const begun = performance.now();
      const answer = await api.list({ ...body, explain: why !== null }, aborted);
      return { answer, milliseconds: performance.now() - begun };
    },
    show,
  });
}
