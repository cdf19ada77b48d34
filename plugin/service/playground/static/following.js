// Keeps a part of the page up to date with the state: asks, shows the newest answer, says errors.
import { newestOf, pace } from "./api.js";
import { button, h } from "./dom.js";

/**
 * Milliseconds that a newer question waits for an older one. While a slider is drawn, a service gets
 * so many questions as it answers, and the page follows; one that hangs holds up nothing.
 */
const PATIENCE = 150;

/**
 * Ask anew whenever what is selected of the state changes.
 * @param {object} of
 * @param {object} of.store
 * @param {AbortSignal} of.signal ends it
 * @param {HTMLElement} of.root is busy meanwhile; what stood there stays until the answer is here
 * @param {HTMLElement} [of.at] has errors before it, where that is not the root
 * @param {(state: object) => any} of.select what to ask; null for nothing
 * @param {(selected: any, signal: AbortSignal) => Promise<any>} of.ask
 * @param {(answer: any, selected: any, newest: boolean) => void} of.show gets null where there is
 *   nothing to ask, and whether nothing else was selected meanwhile
 */
export function follow({ store, signal, root, select, ask, show, at = root }) {
  const problem = problemLine(begin);
  at.before(problem.node);
  const newest = newestOf(ask);
  let current;

  const refresh = pace(async (selected) => {
    const over = () => signal.aborted || current === null;
    try {
      const answer = await newest(selected);
      if (answer === undefined || over()) return;
      problem.clear();
      show(answer, selected, selected === current);
    } catch (error) {
      if (over()) return;
      problem.say(error);
    }
    if (selected === current) root.removeAttribute("aria-busy");
  }, PATIENCE);

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
      begin();
    },
    signal,
  );

  function begin() {
    root.setAttribute("aria-busy", "true");
    refresh(current);
  }
}

/**
 * Return a line that says what went wrong, at its place.
 * @param {() => void} [again] asks once more, where that is possible
 */
export function problemLine(again) {
  const message = h("span");
  const node = h(
    "p",
    { class: "problem", role: "alert", hidden: true },
    message,
    again ? button("Try again", again) : null,
  );
  return {
    node,
    say(error) {
      message.textContent = error.message;
      node.hidden = false;
    },
    clear: () => (node.hidden = true),
  };
}
