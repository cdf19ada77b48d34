// Keeps a part of the page up to date with the state: asks, shows the newest answer, says errors.
import { debounce, newestOf } from "./api.js";
import { h } from "./dom.js";

/** Milliseconds between the first of several changes at once and the question. */
const PAUSE = 15;

/**
 * Ask anew whenever what is selected of the state changes.
 * @param {object} of
 * @param {object} of.store
 * @param {AbortSignal} of.signal ends it
 * @param {HTMLElement} of.root is busy meanwhile; what stood there stays until the answer is here
 * @param {HTMLElement} [of.at] has errors before it, where that is not the root
 * @param {(state: object) => any} of.select what to ask; null for nothing
 * @param {(selected: any, signal: AbortSignal) => Promise<any>} of.ask
 * @param {(answer: any, selected: any) => void} of.show gets null where there is nothing to ask
 * @param {number} [of.pause]
 */
export function follow({ store, signal, root, select, ask, show, at = root, pause = PAUSE }) {
  const problem = problemLine();
  at.before(problem.node);
  const newest = newestOf(ask);
  let current;

  const refresh = debounce(async (selected) => {
    const outdated = () => signal.aborted || selected !== current;
    try {
      const answer = await newest(selected);
      if (answer === undefined || outdated()) return;
      problem.clear();
      show(answer, selected);
    } catch (error) {
      if (outdated()) return;
      problem.say(error);
    }
    root.removeAttribute("aria-busy");
  }, pause);

  store.watch(
    select,
    (selected) => {
      current = selected;
      if (selected === null) {
        problem.clear();
        root.removeAttribute("aria-busy");
        show(null, null);
        return;
      }
      root.setAttribute("aria-busy", "true");
      refresh(selected);
    },
    signal,
  );
}

/** Return a line that says what went wrong, at its place. */
export function problemLine() {
  const node = h("p", { class: "problem", role: "alert", hidden: true });
  return {
    node,
    say(error) {
      node.textContent = error.message;
      node.hidden = false;
    },
    clear: () => (node.hidden = true),
  };
}
