// The processor's paths. All else is a 404 here and never reaches it.

const SEGMENT = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+";
/** An encoded slash, backslash or NUL, and a segment of dots, mean another path to some program. */
const AMBIGUOUS = /%2f|%5c|%00|\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** A function from a request's target to its route, or undefined. `table` is routes.json. */
export function finder(table) {
  const routes = Object.entries(table.paths).map(([path, methods]) => ({
    path,
    /** Methods that pages of the storefront may use. */
    methods,
    pattern: new RegExp(`^${path.split(/\{\w+\}/).map(literal).join(SEGMENT)}$`),
  }));
  return (target) => {
    const path = target.split('?', 1)[0];
    return AMBIGUOUS.test(path) ? undefined : routes.find((each) => each.pattern.test(path));
  };
}

function literal(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
