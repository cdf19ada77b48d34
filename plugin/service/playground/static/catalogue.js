// Items by id, each fetched once: titles for histories and reasons, and what is cold.

/** Fields of an item that say more of it, beside its title. */
const MOST_BESIDE = 2;

/**
 * @param {object} api
 * @param {{title: ?string, fields: {name: string, type: string}[]}} status
 */
export function createCatalogue(api, status) {
  const items = new Map();
  const texts = status.fields.filter(({ type }) => ["text", "keyword"].includes(type));

  const keep = (found) => found.forEach((item) => items.set(item.item_id, item));

  /** Return what names an item for a person. */
  function title({ item_id, title, fields = {} }) {
    const known = items.get(item_id) ?? {};
    const named = title ?? fields[status.title] ?? known.title;
    return line(named) || firstText(fields) || firstText(known.fields ?? {}) || item_id;
  }

  return {
    title,
    keep,
    get: (item_id) => items.get(item_id),
    titleOf: (item_id) => title({ item_id }),

    /** Return what else the catalogue says of an item, in a line. */
    describe({ fields = {} }) {
      const others = texts.filter(({ name }) => name !== status.title && line(fields[name]));
      // what is short tells items apart, and a description is no line
      const short = others.filter(({ name }) => line(fields[name]).length <= 60);
      return (short.length ? short : others)
        .slice(0, MOST_BESIDE)
        .map(({ name }) => line(fields[name]))
        .join(" · ");
    },

    /** Fetch those of some items that are not known yet. */
    async load(ids, signal) {
      const missing = [...new Set(ids)].filter((id) => !items.has(id));
      if (!missing.length) return;
      const { items: found, unknown } = await api.items({ ids: missing }, signal);
      keep(found);
      keep(unknown.map((item_id) => ({ item_id, title: `${item_id} (not in the index)` })));
    },

    /** Search items by words, as typed so far. */
    async search(words, signal) {
      const { items: found } = await api.items({ words, size: 20 }, signal);
      keep(found);
      return found;
    },
  };
}

/** Return a value of the catalogue as one line. */
function line(value) {
  if (value === null || value === undefined) return "";
  const joined = Array.isArray(value) ? value.join(", ") : String(value);
  return joined.replace(/\s+/g, " ").trim();
}

/** Return the first text of an item, by name of the field. */
function firstText(fields) {
  const name = Object.keys(fields)
    .sort()
    .find((one) => typeof fields[one] === "string" && fields[one]);
  return name ? line(fields[name]) : "";
}
