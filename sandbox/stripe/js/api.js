/** @typedef {Record<string, any>} Json */

/** Calls of Stripe's API with the publishable key; what goes wrong is an answer, too. */
class Api {
  /**
   * @param {string} origin Of the stand-in; empty in its own frames.
   * @param {string} key The publishable key.
   */
  constructor(origin, key) {
    this.origin = origin;
    this.key = key;
  }

  /**
   * @param {"GET" | "POST"} method
   * @param {string} path
   * @param {Json} [params]
   * @returns {Promise<{value: any, error?: undefined} | {value?: undefined, error: StripeError}>}
   */
  async call(method, path, params = {}) {
    const sent = encodeForm(params).toString();
    try {
      const response = await fetch(
        `${this.origin}${path}${method === "GET" && sent ? `?${sent}` : ""}`,
        {
          method,
          headers: { Authorization: `Bearer ${this.key}` },
          body: method === "POST" ? new URLSearchParams(sent) : undefined,
          credentials: "omit",
        },
      );
      const body = await response.json();
      return response.ok ? { value: body } : { error: body.error };
    } catch {
      return {
        error: {
          type: "api_connection_error",
          message: "An error occurred with our connection to Stripe.",
        },
      };
    }
  }
}

/**
 * Stripe's bracketed form encoding; what is undefined is left out.
 *
 * @param {Json} params
 * @param {URLSearchParams} [form]
 * @param {string} [prefix]
 */
function encodeForm(params, form = new URLSearchParams(), prefix = "") {
  for (const [name, value] of Object.entries(params)) {
    const path = prefix ? `${prefix}[${name}]` : name;
    if (value === undefined) continue;
    if (value !== null && typeof value === "object") encodeForm(value, form, path);
    else form.append(path, value === null ? "" : String(value));
  }
  return form;
}
