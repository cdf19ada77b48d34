// The state of the page as the part of its address behind "#", and back. Whatever an address holds,
// a state comes of it: what cannot be read is left out.

/**
 * How a list is asked for; null is left to the service.
 * @typedef {object} Side
 * @property {?string} index
 * @property {?string} path
 * @property {?number} tail_share
 * @property {?number} diversity
 * @property {?number} min_probability
 * @property {?number} importance the least one of an item
 */

/**
 * A member of a group: the id of a user, or somebody described, who may be a known user.
 * @typedef {string | {user?: string, words?: string, history?: string[], session?: string[]}} Member
 */

export const VIEWS = ["list", "compare", "group", "holdout", "recall", "map"];
export const PATHS = ["auto", "exact", "ann", "reference"];
export const STRATEGIES = [
  "fair",
  "average",
  "multiplicative",
  "least-misery",
  "most-pleasure",
  "borda",
];
export const SEEN = ["any", "everyone", "group", "nothing"];

const text = (value) => value || null;
const among = (values) => (value) => (values.includes(value) ? value : null);
const yes = (value) => (value === "yes" ? true : null);

const number =
  (low, high, whole = false) =>
  (value) => {
    const read = value.trim() === "" ? NaN : Number(value);
    return read >= low && read <= high && (!whole || Number.isInteger(read)) ? read : null;
  };

const OF_SIDE = {
  index: text,
  path: among(PATHS),
  tail_share: number(0, 1),
  diversity: number(0, 1),
  min_probability: number(0, 0.99),
  importance: number(0, 100),
};

const OF_PAGE = {
  view: among(VIEWS),
  user: text,
  words: text,
  size: number(1, 100, true),
  why: text,
  blind: yes,
  group: text,
  strategy: among(STRATEGIES),
  seen: among(SEEN),
  own_weight: number(0, 1),
  hidden: number(1, 20, true),
  near: text,
  radius: number(0, 1),
};

const IDS = ["session", "exclude", "only"];

/** What is on the right has this before its names. */
const RIGHT = "right.";

const empty = (fields) => Object.fromEntries(Object.keys(fields).map((name) => [name, null]));

/** Return the state of an address that says nothing. */
export const emptyState = () => ({
  ...empty(OF_PAGE),
  view: "list",
  words: "",
  history: null,
  session: [],
  exclude: [],
  only: [],
  members: [],
  left: empty(OF_SIDE),
  right: empty(OF_SIDE),
});

/** Return the state that an address holds. */
export function readState(hash) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const state = emptyState();
  readFields(found, OF_PAGE, "", state);
  readFields(found, OF_SIDE, "", state.left);
  readFields(found, OF_SIDE, RIGHT, state.right);
  for (const name of IDS) state[name] = ids(found.getAll(name));
  // a history that is empty is one, too: nothing, instead of what is known
  if (found.has("history")) state.history = ids(found.getAll("history"));
  state.members = eachOnce(found.getAll("member").map(readMember).filter(Boolean));
  return state;
}

/** Return the address of a state. */
export function writeState(state) {
  const found = new URLSearchParams();
  const plain = emptyState();
  writeFields(found, OF_PAGE, "", state, plain);
  writeFields(found, OF_SIDE, "", state.left, plain.left);
  writeFields(found, OF_SIDE, RIGHT, state.right, plain.right);
  for (const name of IDS) for (const id of state[name]) found.append(name, id);
  if (state.history)
    for (const id of state.history.length ? state.history : [""]) found.append("history", id);
  for (const member of state.members) found.append("member", JSON.stringify(member));
  // an address that is not empty is somebody's choice, even if all of it is the default
  return `#${found.size ? found : `view=${state.view}`}`;
}

/** Return ids without repetitions. */
const ids = (values) => [...new Set(values.filter(Boolean))];

function readFields(found, fields, prefix, into) {
  for (const [name, read] of Object.entries(fields)) {
    const value = found.get(prefix + name);
    into[name] = (value === null ? null : read(value)) ?? into[name];
  }
}

function writeFields(found, fields, prefix, from, plain) {
  for (const name of Object.keys(fields)) {
    if (from[name] === plain[name] || from[name] === null || from[name] === "") continue;
    found.set(prefix + name, from[name] === true ? "yes" : String(from[name]));
  }
}

/** Return the id of a member; undefined of somebody made up. */
export const userOf = (member) => (typeof member === "string" ? member : member.user);

/** Return members, of whom each user is one, as described last: as the service reads them. */
const eachOnce = (members) => [
  ...new Map(members.map((one, at) => [userOf(one) ?? at, one])).values(),
];

/** @returns {?Member} */
function readMember(value) {
  let read;
  try {
    read = JSON.parse(value);
  } catch {
    return null;
  }
  if (typeof read === "string") return read.trim() ? read : null;
  if (typeof read !== "object" || read === null) return null;
  const member = {};
  for (const name of ["user", "words"])
    if (typeof read[name] === "string" && read[name].trim()) member[name] = read[name];
  for (const name of ["history", "session"]) {
    if (Array.isArray(read[name]))
      member[name] = ids(read[name].filter((id) => typeof id === "string"));
  }
  return Object.values(member).some((one) => one.length) ? member : null;
}
