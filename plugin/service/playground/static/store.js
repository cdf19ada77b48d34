// The state of the page: it stands in the address, so that a link opens what somebody sees.
import { readState, writeState } from "./address.js";

/**
 * Return the one store of a page.
 * @returns {{state: object, update: Function, link: Function, watch: Function}}
 */
export function createStore(page = window) {
  let state = readState(page.location.hash);
  let stroke = null;
  const listeners = new Set();

  const notify = () => [...listeners].forEach((listener) => listener());

  /**
   * Change the state, and go on in the history of the browser.
   * @param {object} changes
   * @param {?string} name of a stroke: a slider that is drawn, a word that is typed. Its changes
   *   are one step back.
   */
  function update(changes, name = null) {
    const next = writeState({ ...state, ...changes });
    if (next === writeState(state) && page.location.hash) return;
    page.history[name && name === stroke ? "replaceState" : "pushState"](null, "", next);
    stroke = name;
    state = readState(next);
    notify();
  }

  page.addEventListener("popstate", () => {
    stroke = null;
    state = readState(page.location.hash);
    notify();
  });

  return {
    get state() {
      return state;
    },
    update,

    /** Change the state where there is nothing yet to go back to. */
    replace(changes) {
      state = readState(writeState({ ...state, ...changes }));
      page.history.replaceState(null, "", writeState(state));
      notify();
    },

    /** Change how the list of a side is asked for. */
    updateSide: (side, changes, name) => update({ [side]: { ...state[side], ...changes } }, name),

    /** Return the address of the state with changes. */
    link: (changes) => writeState({ ...state, ...changes }),

    /**
     * Call a listener now, and whenever what it selects of the state is another.
     * @param {(state: object) => any} select
     * @param {(selected: any) => void} listener
     * @param {AbortSignal} [signal] ends it
     */
    watch(select, listener, signal) {
      let before;
      const look = () => {
        const selected = select(state);
        const now = JSON.stringify(selected);
        if (now === before || signal?.aborted) return;
        before = now;
        listener(selected);
      };
      listeners.add(look);
      signal?.addEventListener("abort", () => listeners.delete(look));
      look();
    },
  };
}
