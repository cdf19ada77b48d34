// How alike two ranked lists are: pure functions over ids without repetitions.

/** Return the share of common items among all items; null where there are none. */
export function jaccard(one, other) {
  const all = new Set([...one, ...other]);
  if (!all.size) return null;
  const common = one.filter((id) => other.includes(id));
  return common.length / all.size;
}

/**
 * Return the rank-biased overlap, extrapolated: 1 for the same order, 0 for nothing in common.
 *
 * Webber, Moffat and Zobel 2010, "A similarity measure for indefinite rankings", equation 32: also
 * for lists of two lengths. Both are thought to go on as they agree at their end.
 * @param {string[]} one
 * @param {string[]} other
 * @param {number} p how far down a reader looks: 0.9 gives the first ten 86 % of the weight
 * @returns {?number} null where a list is empty
 */
export function rbo(one, other, p = 0.9) {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  const [s, l] = [short.length, long.length];
  if (!s) return null;
  const common = overlaps(short, long);
  let sum = 0;
  for (let depth = 1; depth <= l; depth += 1) {
    const beyond = depth > s ? (common[s] * (depth - s)) / (s * depth) : 0;
    sum += (common[depth] / depth + beyond) * p ** depth;
  }
  const last = (common[l] - common[s]) / l + common[s] / s;
  return ((1 - p) / p) * sum + last * p ** l;
}

/** Return how many items the first d of both have in common, by d from 0. */
function overlaps(short, long) {
  const found = [0];
  const [inShort, inLong] = [new Set(), new Set()];
  for (let place = 0; place < long.length; place += 1) {
    if (place < short.length) inShort.add(short[place]);
    inLong.add(long[place]);
    found.push([...inShort].filter((id) => inLong.has(id)).length);
  }
  return found;
}

/**
 * Return where each item of two lists stands, places from 1.
 * @returns {{item_id: string, from: ?number, to: ?number}[]} `from` is null for what entered, `to`
 *   for what left
 */
export function moves(before, after) {
  const from = new Map(before.map((id, place) => [id, place + 1]));
  const to = new Map(after.map((id, place) => [id, place + 1]));
  return [...new Set([...before, ...after])].map((item_id) => ({
    item_id,
    from: from.get(item_id) ?? null,
    to: to.get(item_id) ?? null,
  }));
}
