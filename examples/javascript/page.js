// Shows a list, and says what the visitor does with it. `?item=ID` is the page of an item.
import { recommend, related, send } from "./seealso.js";

const address = new URLSearchParams(location.search);
const item = address.get("item");

/** Do without an answer: a page without a list, or an event that is lost, is still a page. */
const doWithout = (problem) => console.info(problem.message, problem.hint ?? "");

function show({ items, query_id, degraded }) {
  for (const place of items) {
    const link = document.createElement("a");
    // as text: what a catalogue holds is never read as HTML
    link.textContent = place.fields.title || place.item_id;
    // the page of the item knows which list led to it
    link.href = `?${new URLSearchParams({ item: place.item_id, query_id: query_id ?? "" })}`;
    link.addEventListener("click", () => {
      send({ item: place.item_id, type: "click", query_id }).catch(doWithout);
    });
    const entry = document.createElement("li");
    entry.append(link);
    document.querySelector("#list").append(entry);
  }
  // for whoever looks after the page; the visitor has a list
  if (degraded) console.info(degraded);
}

if (item) {
  document.querySelector("h1").textContent = `Related to ${item}`;
  send({ item, type: "view", query_id: address.get("query_id") || null }).catch(doWithout);
}

try {
  show(await (item ? related(item, { size: 5 }) : recommend({ size: 5 })));
} catch (problem) {
  doWithout(problem);
  document.querySelector("#note").textContent = "There are no recommendations at present.";
}
