// The playground: looks at the service once, and then shows what the address of the page says.
import { createApi } from "./api.js";
import { createCatalogue } from "./catalogue.js";
import { compareView } from "./compare_view.js";
import { h, NARROW } from "./dom.js";
import { problemLine } from "./following.js";
import { count, whole } from "./format.js";
import { groupView } from "./group_view.js";
import { holdoutView } from "./holdout_view.js";
import { keyDialog } from "./key_dialog.js";
import { listView } from "./list_view.js";
import { mapView } from "./map_view.js";
import { recallView } from "./recall_view.js";
import { createStore } from "./store.js";
import { userPanel } from "./user_panel.js";

const VIEWS = {
  list: ["List", listView],
  compare: ["Compare", compareView],
  group: ["Group", groupView],
  holdout: ["Hold out", holdoutView],
  recall: ["Recall", recallView],
  map: ["Map", mapView],
};

const at = (id) => document.getElementById(id);

async function start() {
  const store = createStore();
  const api = createApi(keyDialog(document.body));
  const status = await api.status();
  const catalogue = createCatalogue(api, status);
  const context = { store, api, status, catalogue, signal: new AbortController().signal };
  at("about").textContent = describe(status);
  if (!location.hash) await pickFirst(context);
  userPanel(context, at("who-panel"));
  at("who").open = !NARROW.matches;
  store.watch(nameOf, (name) => (at("who-name").textContent = name));
  showTabs(store);
  showView(context);
}

function describe({ alias, version, indices }) {
  const live = indices.find((one) => one.live);
  return `${alias} · ${live ? `${whole(live.documents)} items` : "nothing is live"} · seealso ${version}`;
}

/** Return whom the lists are for in a few words, for where the panel is folded. */
const nameOf = ({ user, words, history, session }) =>
  user ?? (words || count((history?.length ?? 0) + session.length, "item"));

/** Begin with somebody: the list of nobody says little. */
async function pickFirst({ api, store }) {
  const { users } = await api.users({ size: 1 }).catch(() => ({ users: [] }));
  store.replace(users.length ? { user: users[0].user_id } : {});
}

function showTabs(store) {
  const links = Object.entries(VIEWS).map(([view, [label]]) => ({ view, node: h("a", {}, label) }));
  at("views").append(...links.map(({ node }) => h("li", {}, node)));
  store.watch(
    (state) => state,
    (state) => {
      for (const { view, node } of links) {
        node.href = store.link({ view });
        if (view === state.view) node.setAttribute("aria-current", "page");
        else node.removeAttribute("aria-current");
      }
    },
  );
}

function showView(context) {
  let ending = new AbortController();
  context.store.watch(
    ({ view }) => view,
    (view) => {
      ending.abort();
      ending = new AbortController();
      const [label, open] = VIEWS[view];
      const root = at("view");
      root.replaceChildren(h("h2", { class: "visually-hidden" }, label));
      root.className = view;
      document.title = `${label} · seealso playground`;
      open({ ...context, signal: ending.signal }, root);
    },
  );
}

start().catch((error) => {
  const problem = problemLine(() => location.reload());
  at("view").replaceChildren(problem.node);
  problem.say(error);
});
