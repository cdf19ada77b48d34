// What the service is asked for, made of the state: pure functions.

/** Return the values that are there. */
export const withoutEmpty = (values) =>
  Object.fromEntries(
    Object.entries(values).filter(
      ([, value]) =>
        value !== null &&
        value !== undefined &&
        value !== "" &&
        !(Array.isArray(value) && !value.length),
    ),
  );

/** Return the values but those of some names. */
export const without = (values, ...names) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));

/** Return whom a list is for. */
export function describeUser({ user, words, history, session }) {
  // an empty history stands for one that is known, where there is a user
  const own = history && (history.length || user) ? { history } : {};
  return { ...withoutEmpty({ user, words, session }), ...own };
}

/** Return how the list of a side is asked for, without whom it is for. */
export function describeSide(state, side) {
  const { importance, ...options } = state[side];
  return withoutEmpty({
    size: state.size,
    ...options,
    exclude: state.exclude,
    filters: [
      ...(importance ? [{ range: { importance: { gte: importance } } }] : []),
      ...(state.only.length ? [{ ids: { values: state.only } }] : []),
    ],
  });
}

/** Return the request for the list of a side. */
export const listBody = (state, side = "left") => ({
  ...describeUser(state),
  ...describeSide(state, side),
});

/** Return the request for why an item has its value in the list of a request. */
export const reasonsBody = ({ user, words, history, session, index }, item_id) => ({
  ...withoutEmpty({ user, words, session, index }),
  ...(history ? { history } : {}),
  items: [item_id],
});

/** Return the request for a list of a group; null where it has no members. */
export function groupBody(state) {
  if (!state.group && !state.members.length) return null;
  return {
    ...describeSide(state, "left"),
    ...(state.group ? { group: state.group } : { members: state.members }),
    ...withoutEmpty({
      strategy: state.strategy,
      seen: state.seen,
      own_weight: state.group ? state.own_weight : null,
    }),
  };
}

/** Return what anybody else would send: the page alone names an index. */
export const publicBody = (body) => without(body, "index");
