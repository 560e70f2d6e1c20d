/** Where this script comes from: all of its frames and calls are there. */
const SCRIPT = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
const STAND_IN = SCRIPT.origin;

/** What a shop gets from `Stripe(publishableKey)`. */
class StripeStandIn {
  #api;
  #locale;
  #confirmation;

  /**
   * @param {string} key
   * @param {StripeConstructorOptions} options
   */
  constructor(key, options) {
    demand(typeof key === "string" && key !== "", "Please call Stripe() with your publishable key.");
    demand(!/^[sr]k_/.test(key), "You should not use your secret key with Stripe.js.");
    this.#api = new Api(STAND_IN, key);
    this.#locale = /** @type {string} */ (options.locale ?? "auto");
    this.#confirmation = new Confirmation(this.#api, this.#locale);
  }

  /** @param {StripeElementsOptionsClientSecret | StripeElementsOptionsMode} [options] */
  elements(options = {}) {
    return new ElementsGroup(this.#api, this.#locale, options);
  }

  /**
   * @overload
   * @param {{
   *   elements?: any, clientSecret?: string, confirmParams?: Partial<ConfirmPaymentData>,
   *   redirect: "if_required"
   * }} options
   * @returns {Promise<PaymentIntentResult>}
   */
  /**
   * @overload
   * @param {{
   *   elements?: any, clientSecret?: string, confirmParams: ConfirmPaymentData, redirect?: "always"
   * }} options
   * @returns {Promise<never | {error: StripeError}>}
   */
  /**
   * @param {any} options
   * @returns {Promise<any>}
   */
  async confirmPayment(options) {
    return this.#confirmation.confirm(options);
  }

  /**
   * @param {string} clientSecret
   * @returns {Promise<PaymentIntentResult>}
   */
  async retrievePaymentIntent(clientSecret) {
    const { value, error } = await retrieveIntent(this.#api, clientSecret);
    return error === undefined ? { paymentIntent: value } : { error };
  }

  /**
   * @param {{clientSecret: string} | {hashedValue: string}} options
   * @returns {Promise<PaymentIntentOrSetupIntentResult>}
   */
  async handleNextAction(options) {
    demand("clientSecret" in options, "The sandbox takes a clientSecret.");
    const { value, error } = await retrieveIntent(this.#api, options.clientSecret);
    return error === undefined ? this.#confirmation.act(value) : { error };
  }

  /**
   * @param {{elements: any, params?: ConfirmationTokenCreateParams}} options
   * @returns {Promise<ConfirmationTokenResult>}
   */
  async createConfirmationToken({ elements, params = {} }) {
    const group = checkedGroup(elements, "createConfirmationToken");
    const { wallet } = group;
    if (!wallet) return group.form.ask("token", params);
    const { value, error } = await this.#api.call("POST", "/v1/confirmation_tokens", {
      ...params,
      payment_method_data: { ...params.payment_method_data, ...wallet.paying },
    });
    wallet.finish();
    return error === undefined ? { confirmationToken: value } : { error };
  }

  /**
   * @param {any} options `{elements, params}`: the sandbox makes methods of elements alone.
   * @returns {Promise<PaymentMethodResult>}
   */
  async createPaymentMethod({ elements, params = {} }) {
    return checkedGroup(elements, "createPaymentMethod").form.ask("method", params);
  }

  /**
   * Only releases before 2025-09-30 (clover) have it, that is the address /v3:
   * https://docs.stripe.com/changelog/clover/2025-09-30/remove-redirect-to-checkout
   *
   * @param {{sessionId: string}} options
   * @returns {Promise<never>}
   */
  redirectToCheckout({ sessionId }) {
    demand(
      /^cs_/.test(sessionId ?? ""),
      "redirectToCheckout: You must provide one of lineItems, items, or sessionId.",
    );
    location.assign(`${STAND_IN}/c/pay/${sessionId}`);
    return new Promise(() => undefined);
  }

  /** @param {StripeEmbeddedCheckoutOptions} options */
  async createEmbeddedCheckoutPage(options) {
    const title = new Texts(this.#locale).say("checkoutFrame");
    return EmbeddedCheckout.create(this.#api, title, options);
  }

  /**
   * The name of `createEmbeddedCheckoutPage` in earlier releases.
   *
   * @param {StripeEmbeddedCheckoutOptions} options
   */
  initEmbeddedCheckout(options) {
    return this.createEmbeddedCheckoutPage(options);
  }
}

/**
 * @param {unknown} elements
 * @param {string} caller
 * @returns {ElementsGroup}
 */
function checkedGroup(elements, caller) {
  demand(elements instanceof ElementsGroup, `${caller} expects an Elements instance.`);
  demand(elements.submitted, `elements.submit() must be called before stripe.${caller}().`);
  return elements;
}

Object.assign(window, {
  /**
   * @param {string} key
   * @param {StripeConstructorOptions} [options]
   */
  Stripe: function Stripe(key, options = {}) {
    const made = new StripeStandIn(key, options);
    if (SCRIPT.pathname.startsWith("/v3")) return made;
    return Object.assign(made, { redirectToCheckout: undefined });
  },
});
