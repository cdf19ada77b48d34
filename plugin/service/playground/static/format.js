// Numbers and names as people read them.

const COUNT = new Intl.NumberFormat("en");

/** Return a number of things. */
export const count = (number, one, several = `${one}s`) =>
  `${COUNT.format(number)} ${number === 1 ? one : several}`;

export const whole = (number) => COUNT.format(number);

/** Return a probability; a dash where there is none. */
export function probability(value) {
  if (value === null || value === undefined) return "–";
  return value > 0 && value < 0.0001 ? value.toExponential(1) : value.toFixed(4);
}

/** Return an amount that adds to others, with its sign. */
export const amount = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;

/** Return a number with a true minus. */
export const signed = (value, digits = 4) => value.toFixed(digits).replace("-", "−");

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

/** Return milliseconds by part as one line: the whole first. */
export function took(parts) {
  const { total, ...others } = parts;
  const each = Object.entries(others).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  return `${total === undefined ? "" : `${total.toFixed(0)} ms: `}${each.join(" · ")}`;
}
