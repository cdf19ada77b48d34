// The list of the page as text for other programs: curl and Python. Pure functions.
//
// A key is never part of it: the environment variable SEEALSO_SERVICE_KEY holds it.

/** Return text as one word of a POSIX shell, which reads nothing in it. */
export const quoteForShell = (text) => `'${String(text).replaceAll("'", String.raw`'\''`)}'`;

/** Return a value of JSON as Python has it. */
export function toPython(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(toPython).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(
      ([name, one]) => `${JSON.stringify(name)}: ${toPython(one)}`,
    );
    return `{${entries.join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** Return how curl asks the service. */
export function curlService({ service, body, keyed }) {
  return [
    `curl -s ${quoteForShell(`${service}/v1/recommend`)}`,
    "-H 'content-type: application/json'",
    // in double quotes: the shell puts the key in
    ...(keyed ? [`-H "Authorization: Bearer $SEEALSO_SERVICE_KEY"`] : []),
    `-d ${quoteForShell(JSON.stringify(body))}`,
  ].join(" \\\n  ");
}

/** Return how curl asks OpenSearch itself, without the service: the searches that a plan holds. */
export function curlCluster({ cluster, plan }) {
  const lines = plan.requests.flatMap(({ body, ...header }) => [header, body]);
  const sent = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  return [
    `curl -s ${quoteForShell(`${cluster}/_msearch`)}`,
    "-H 'content-type: application/x-ndjson'",
    `--data-binary ${quoteForShell(sent)}`,
  ].join(" \\\n  ");
}

/** Return how the library is asked. */
export const pythonLibrary = ({ body }) =>
  [
    "from seealso import Recommender",
    "",
    'with Recommender.from_config("seealso.toml") as recommender:',
    `    found = recommender.recommend(${keywords(body)})`,
    "    for place in found:",
    "        print(place.item_id, place.probability)",
  ].join("\n");

/** Return how the client of the service is asked; it finds the key in the environment. */
export const pythonClient = ({ service, body }) =>
  [
    "from seealso.client import Client",
    "",
    `with Client(${toPython(service)}) as client:`,
    `    found = client.recommend(${keywords(body)})`,
    "    for place in found.items:",
    "        print(place.item_id, place.probability)",
  ].join("\n");

function keywords({ user = null, ...options }) {
  const named = Object.entries(options).map(([name, value]) => `${name}=${toPython(value)}`);
  const all = [...(user === null ? [] : [toPython(user)]), ...named];
  const line = all.join(", ");
  return line.length <= 60 ? line : `\n        ${all.join(",\n        ")},\n    `;
}
