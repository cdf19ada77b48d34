// The list of the page as curl and Python, to be copied.
import { newestOf, SERVICE } from "./api.js";
import { button, h, newId } from "./dom.js";
import { problemLine } from "./following.js";
import { describeUser, listBody, publicBody } from "./requests.js";
import { curlCluster, curlService, pythonClient, pythonLibrary } from "./snippets.js";

const KINDS = [
  [
    "curl to the service",
    ({ body, api }) => curlService({ service: SERVICE, body, keyed: api.keyed }),
  ],
  ["curl to OpenSearch", plannedCurl],
  ["Python", ({ body }) => pythonLibrary({ body })],
  ["Python client", ({ body }) => pythonClient({ service: SERVICE, body })],
];

async function plannedCurl({ whole, api, status }, aborted) {
  return curlCluster({ cluster: status.cluster, plan: await api.plan(whole, aborted) });
}

export function copyPanel({ store, api, status, signal }, root) {
  const code = h("pre", { tabindex: 0, "aria-label": "The list as text" });
  const outcome = h("span", { role: "status" });
  const beside = h("p", { class: "hint" });
  const problem = problemLine();
  const newest = newestOf((of, aborted) => KINDS[kind][1](of, aborted));
  let kind = 0;
  const group = newId();
  const tabs = KINDS.map(([label], at) =>
    h(
      "label",
      {},
      h("input", {
        type: "radio",
        name: group,
        checked: at === 0,
        onchange: () => ((kind = at), write()),
      }),
      label,
    ),
  );
  const copy = button("Copy", async () => {
    await navigator.clipboard.writeText(code.textContent).then(
      () => (outcome.textContent = "Copied."),
      () => {
        getSelection().selectAllChildren(code);
        outcome.textContent = "Selected: copy it with the keyboard.";
      },
    );
  });
  const node = h(
    "details",
    { class: "copy", ontoggle: () => write() },
    h("summary", {}, "Copy as"),
    h("fieldset", { class: "tabs" }, h("legend", { class: "visually-hidden" }, "As what"), tabs),
    beside,
    problem.node,
    code,
    h("p", {}, copy, " ", outcome),
  );
  root.append(node);

  async function write() {
    if (!node.open) return;
    outcome.textContent = "";
    const whole = listBody(store.state);
    const body = publicBody(whole);
    const nobody = !Object.keys(describeUser(store.state)).length;
    beside.textContent = [
      whole.index ? "This asks the live index, and not the one that is chosen above." : "",
      nobody ? "It is for nobody: with a user, words or a history it is a personal list." : "",
    ].join(" ");
    code.setAttribute("aria-busy", "true");
    try {
      const text = await newest({ whole, body, api, status });
      if (text === undefined) return;
      code.textContent = text;
      problem.clear();
    } catch (error) {
      code.textContent = "";
      problem.say(error);
    }
    code.removeAttribute("aria-busy");
  }
  store.watch((state) => listBody(state), write, signal);
}
