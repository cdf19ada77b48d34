// A field that finds something while it is typed: a combobox with a list of what was found.
import { debounce, newestOf } from "./api.js";
import { h, newId } from "./dom.js";

/** Milliseconds without a key until it is searched. */
const PAUSE = 80;

/**
 * @typedef {object} Option
 * @property {string} value
 * @property {string} label
 * @property {string} [note] smaller, beside it
 */

/**
 * Return a field with its label.
 * @param {object} of
 * @param {string} of.label
 * @param {string} [of.placeholder]
 * @param {(typed: string, signal: AbortSignal) => Promise<{options: Option[], note?: string}>} of.search
 * @param {(value: string) => void} of.choose
 * @param {boolean} [of.free] whether what was typed may be chosen as it stands
 * @param {(node: HTMLElement, option: Option) => void} [of.dress] an option as it is shown
 */
export function picker({ label, placeholder, search, choose, free = false, dress = () => {} }) {
  const [inputId, listId] = [newId(), newId()];
  const list = h("ul", {
    id: listId,
    role: "listbox",
    "aria-label": "What is found",
    hidden: true,
    // a list that closed before the mouse is up could be neither clicked nor dragged from
    onpointerdown: () => (pressed = true),
    onpointerup: () => (pressed = false),
    ondragend: () => {
      pressed = false;
      close();
    },
  });
  const note = h("p", { class: "hint", role: "status" });
  const input = h("input", {
    id: inputId,
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    placeholder,
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    oninput: () => find(),
    onfocus: () => find(),
    onblur: () => pressed || close(),
    onkeydown: press,
  });
  let options = [];
  let active = -1;
  let pressed = false;

  const newest = newestOf(search);
  const find = debounce(async () => {
    try {
      const found = await newest(input.value.trim());
      if (!found || document.activeElement !== input) return;
      open(found);
    } catch (error) {
      note.textContent = error.message;
    }
  }, PAUSE);

  function open({ options: found, note: beside = "" }) {
    options = found;
    list.replaceChildren(...options.map(entry));
    note.textContent = beside || (options.length || !input.value.trim() ? "" : "Nothing is found.");
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    activate(options.length && input.value.trim() && !free ? 0 : -1);
  }

  function entry(option) {
    const node = h(
      "li",
      {
        id: newId(),
        role: "option",
        onclick: () => take(option.value),
      },
      h("span", {}, option.label),
      option.note ? h("small", {}, option.note) : null,
    );
    dress(node, option);
    return node;
  }

  function activate(place) {
    active = place;
    [...list.children].forEach((node, at) =>
      node.setAttribute("aria-selected", String(at === place)),
    );
    const chosen = list.children[place];
    input.setAttribute("aria-activedescendant", chosen?.id ?? "");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(-1);
  }

  function take(value) {
    input.value = "";
    close();
    choose(value);
  }

  function press(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      if (list.hidden) return find();
      activate((active + steps[event.key] + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const typed = input.value.trim();
      if (active >= 0 && !list.hidden) take(options[active].value);
      else if (free && typed) take(typed);
    } else if (event.key === "Escape") {
      close();
    }
  }

  const field = h(
    "div",
    { class: "field picker" },
    h("label", { for: inputId }, label),
    input,
    list,
    note,
  );
  return { node: field, input };
}
