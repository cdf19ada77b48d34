// Asks for the key of a service that has keys. It is handed on, and kept nowhere in the page.
import { h, labelled } from "./dom.js";

/**
 * Return a function that asks for a key.
 * @param {HTMLElement} root
 * @returns {(reason: string) => Promise<string>}
 */
export function keyDialog(root) {
  const reason = h("p");
  const input = h("input", { type: "password", required: true, autocomplete: "off" });
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", {}, "This service has keys"),
    reason,
    labelled("A key with the scope admin", input),
    h("p", { class: "hint" }, "It is kept until this page is closed, and stored nowhere."),
    h("button", { type: "submit", class: "main" }, "Use it"),
  );
  // without a key there is nothing to see: the question stays until it is answered
  const dialog = h("dialog", { onclose: () => waiting && dialog.showModal() }, form);
  let waiting = false;
  root.append(dialog);

  return (why) =>
    new Promise((resolve) => {
      reason.textContent = why;
      input.value = "";
      waiting = true;
      form.onsubmit = () => {
        waiting = false;
        resolve(input.value.trim());
      };
      if (!dialog.open) dialog.showModal();
      input.focus();
    });
}
