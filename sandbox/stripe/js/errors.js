/** How a page misuses Stripe.js: thrown, unlike what goes wrong with a payment. */
class IntegrationError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "IntegrationError";
  }
}

/**
 * Stripe.js refuses values that it cannot do anything with.
 *
 * @param {unknown} condition
 * @param {string} message
 * @returns {asserts condition}
 */
function demand(condition, message) {
  if (!condition) throw new IntegrationError(message);
}
