// How well a list brings back what was hidden: pure functions over places from 1.

/** Return the place of each hidden item in a list; null where it is not there. */
export function placesOf(hidden, list) {
  const places = new Map(list.map((id, place) => [id, place + 1]));
  return hidden.map((item_id) => ({ item_id, place: places.get(item_id) ?? null }));
}

/** Return how many of the hidden items are among the first ones. */
export const hits = (places, depth) =>
  places.filter(({ place }) => place !== null && place <= depth).length;

/** Return the NDCG of a list in which the hidden items alone are right: 1 if they come first. */
export function ndcg(places, depth) {
  const gain = (place) => 1 / Math.log2(place + 1);
  const best = Math.min(places.length, depth);
  if (!best) return null;
  let ideal = 0;
  for (let place = 1; place <= best; place += 1) ideal += gain(place);
  const found = places.filter(({ place }) => place !== null && place <= depth);
  return found.reduce((sum, { place }) => sum + gain(place), 0) / ideal;
}

/**
 * Return b and T of p = sigmoid((x - b) / T), which a list's own values tell: log-odds are a line.
 * @param {{raw: ?number, probability: ?number}[]} places
 * @returns {?{b: number, t: number}} null where they do not tell
 */
export function calibration(places) {
  const known = places
    .filter(({ raw, probability }) => raw !== null && probability > 0 && probability < 1)
    .sort((one, other) => one.raw - other.raw);
  const [low, high] = [known[0], known.at(-1)];
  if (!low || high.raw - low.raw < 1e-6) return null;
  const odds = ({ probability }) => Math.log(probability / (1 - probability));
  const t = (high.raw - low.raw) / (odds(high) - odds(low));
  return { b: low.raw - t * odds(low), t };
}
