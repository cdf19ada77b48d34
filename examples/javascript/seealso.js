// Asks a service of seealso from a page: lists, and what became of them. No build, no dependency.
//
// The page and the service have one origin: the site hands on what stands below /v1, adds its key,
// and says who the visitor is (site.py). A page that said so itself could ask for anybody.

/** What the service, or the site in front of it, answers instead of a list (RFC 9457). */
export class Problem extends Error {
  constructor(status, { code = "Unknown", detail = `status ${status}`, hint = null } = {}) {
    super(detail);
    Object.assign(this, { name: "Problem", status, code, hint });
  }
}

/** Return a list for the visitor: {query_id, items: [{item_id, fields, ...}], degraded, ...}. */
export const recommend = (options = {}) => post("/v1/recommend", options);

/** Return the items most related to one. */
export const related = (item, options = {}) =>
  post(`/v1/related/${encodeURIComponent(item)}`, options);

/**
 * Say what the visitor did: {item, type, query_id, value}, all but `item` left out at will.
 *
 * The browser sends it even if the visitor leaves the page (keepalive). By its id, an event that
 * arrives twice counts once; its time is when it happened, not when it arrived.
 */
export const send = (...events) => {
  const named = events.map((event) => ({
    id: crypto.randomUUID(),
    time: new Date().toISOString(),
    ...event,
  }));
  return post("/v1/events", { events: named }, { keepalive: true });
};

async function post(address, body, options = {}) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...options,
  });
  const content = await answer.json().catch(() => undefined);
  if (!answer.ok || content === undefined) throw new Problem(answer.status, content);
  return content;
}
