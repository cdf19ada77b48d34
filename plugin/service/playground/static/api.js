// Asks the service: one function for each address, the newest answer wins, errors are one line.

import { count } from "./format.js";

/** The service, of which this file is a part: also where a gateway puts it below a folder. */
export const SERVICE = new URL("..", import.meta.url).href.replace(/\/$/, "");

const UNREACHABLE = "The service does not answer; is it running?";

/** What the service answers instead of what it was asked for (RFC 9457). */
export class Problem extends Error {
  constructor(status, { detail = `The service answered ${status}.`, hint = null } = {}, after = null) {
    // the name of a header is for programs
    const advice = after ? `try again in ${count(Number(after), "second")}` : hint;
    super(advice ? `${detail}; ${advice}` : detail);
    this.status = status;
  }
}

/**
 * Return the addresses of the playground.
 * @param {(reason: string) => Promise<string>} askKey asks the reader for a key
 */
export function createApi(askKey) {
  // in memory alone: neither in the address nor in any storage
  let key = null;
  let asking = null;

  async function send(path, { body, signal } = {}) {
    const sent = key;
    const answer = await fetch(SERVICE + path, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(sent ? { authorization: `Bearer ${sent}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    }).catch((error) => {
      throw signal?.aborted ? error : new Problem(0, { detail: UNREACHABLE });
    });
    const content = await answer.json().catch(() => undefined);
    signal?.throwIfAborted();
    if (answer.ok && content !== undefined) return content;
    const problem = new Problem(answer.status, content, answer.headers.get("retry-after"));
    if (![401, 403].includes(answer.status)) throw problem;
    // one question for all that wait; who waited meanwhile tries with the new key
    if (sent === key) {
      asking ??= askKey(problem.message).finally(() => (asking = null));
      key = await asking;
    }
    return send(path, { body, signal });
  }

  const get = (path) => (values, signal) =>
    send(`${path}${values ? `?${new URLSearchParams(values)}` : ""}`, { signal });
  const post = (path) => (body, signal) => send(path, { body, signal });

  return {
    status: get("/v1/playground"),
    users: get("/v1/playground/users"),
    map: get("/v1/playground/map"),
    user: post("/v1/playground/user"),
    items: post("/v1/playground/items"),
    list: post("/v1/playground/list"),
    reasons: post("/v1/playground/reasons"),
    plan: post("/v1/playground/plan"),
    group: post("/v1/playground/group"),
    place: post("/v1/playground/place"),
    vote: post("/v1/playground/votes"),
    get keyed() {
      return key !== null;
    },
  };
}

/**
 * Return the same question, of which only the newest is answered: earlier ones are given up, and
 * answer undefined.
 */
export function newestOf(ask) {
  let controller;
  return async (input) => {
    controller?.abort();
    const mine = (controller = new AbortController());
    try {
      const answer = await ask(input, mine.signal);
      return mine.signal.aborted ? undefined : answer;
    } catch (error) {
      if (mine.signal.aborted) return undefined;
      throw error;
    }
  };
}

/**
 * Return a function that acts at once, but never twice at a time: what comes meanwhile waits until
 * the first is done, or has taken some milliseconds, and of that the newest is acted on.
 */
export function pace(act, milliseconds) {
  let running = null;
  let waiting = null;
  return async (...input) => {
    const first = !waiting;
    waiting = input;
    if (!first) return;
    if (running) await Promise.race([running, sleep(milliseconds)]);
    const newest = waiting;
    waiting = null;
    const mine = (running = act(...newest));
    await mine;
    if (running === mine) running = null;
  };
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Return a function that waits until it was not called for some milliseconds. */
export function debounce(act, milliseconds) {
  let timer;
  return (...input) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...input), milliseconds);
  };
}
