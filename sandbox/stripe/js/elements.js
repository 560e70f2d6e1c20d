/** @typedef {Omit<StripeElementsOptionsClientSecret, "mode"> & Omit<Json, "clientSecret">} GroupOptions */

/** Elements that belong to one payment: `stripe.elements()`. */
class ElementsGroup {
  /** @type {Map<string, PaymentElement | ExpressCheckoutElement>} */
  #elements = new Map();
  #events = new Emitter();
  /** Whether what was entered has been checked: without an intent that comes first. */
  submitted = false;

  /**
   * @param {Api} api
   * @param {string} locale
   * @param {StripeElementsOptionsClientSecret | StripeElementsOptionsMode} options
   */
  constructor(api, locale, options) {
    this.api = api;
    /** @type {GroupOptions} */
    this.options = checkedOptions({ ...options });
    this.defaultLocale = locale;
    // Pages take methods off the group, as Stripe.js lets them.
    this.create = this.create.bind(this);
    this.getElement = this.getElement.bind(this);
  }

  get locale() {
    return this.options.locale ?? this.defaultLocale;
  }

  get texts() {
    return new Texts(this.locale);
  }

  get night() {
    return this.options.appearance?.theme === "night";
  }

  /**
   * @overload
   * @param {"payment"} type
   * @param {StripePaymentElementOptions} [options]
   * @returns {PaymentElement}
   */
  /**
   * @overload
   * @param {"expressCheckout"} type
   * @param {StripeExpressCheckoutElementOptions} [options]
   * @returns {ExpressCheckoutElement}
   */
  /**
   * @param {"payment" | "expressCheckout"} type
   * @param {any} [options]
   * @returns {PaymentElement | ExpressCheckoutElement}
   */
  create(type, options = {}) {
    demand(
      type === "payment" || type === "expressCheckout",
      "A valid Element name must be provided; the sandbox offers payment and expressCheckout." +
        ` You specified: ${type}.`,
    );
    demand(!this.#elements.has(type), `Can only create one Element of type ${type}.`);
    demand(
      this.options.clientSecret !== undefined || this.options.mode !== undefined,
      `In order to create a ${type} element, you must pass a clientSecret or mode when creating` +
        " the Elements group.",
    );
    const forget = () => void this.#elements.delete(type);
    const made =
      type === "payment"
        ? new PaymentElement(this, options, forget)
        : new ExpressCheckoutElement(this, options, forget);
    this.#elements.set(type, made);
    return made;
  }

  /**
   * @overload
   * @param {"payment"} type
   * @returns {PaymentElement | null}
   */
  /**
   * @overload
   * @param {"expressCheckout"} type
   * @returns {ExpressCheckoutElement | null}
   */
  /**
   * @param {"payment" | "expressCheckout"} type
   * @returns {PaymentElement | ExpressCheckoutElement | null}
   */
  getElement(type) {
    return this.#elements.get(type) ?? null;
  }

  /** @param {StripeElementsUpdateOptions} options */
  async update(options) {
    this.options = checkedOptions({ ...this.options, ...options });
    await this.getElement("payment")?.refresh();
    this.getElement("expressCheckout")?.update({});
    this.#events.emit("update-end");
  }

  /** @returns {Promise<{error?: {message: string, status?: string}}>} */
  async fetchUpdates() {
    const { error } = (await this.getElement("payment")?.refresh()) ?? {};
    return error === undefined ? {} : { error };
  }

  /**
   * @returns {Promise<
   *   {error: StripeError, selectedPaymentMethod?: undefined} |
   *   {selectedPaymentMethod: string, error?: undefined}
   * >}
   */
  async submit() {
    const selected = this.wallet?.button?.[1];
    const result = selected ? { selectedPaymentMethod: selected } : await this.form.ask("validate");
    this.submitted = result.error === undefined;
    return result;
  }

  /**
   * @param {"update-end"} type
   * @param {() => void} handler
   */
  on(type, handler) {
    this.#events.on(type, handler);
  }

  /** The express element, while its wallet waits for a confirmation. */
  get wallet() {
    const express = this.getElement("expressCheckout");
    return express?.paying ? express : null;
  }

  /** The frame of the Payment Element. */
  get form() {
    const frame = this.getElement("payment")?.frame;
    demand(frame, "elements should have a mounted Payment Element or Express Checkout Element.");
    return frame;
  }

  /** What there is to pay, now. */
  async total() {
    const { amount, clientSecret, currency } = this.options;
    if (clientSecret === undefined) return { value: { amount, currency } };
    const { value, error } = await retrieveIntent(this.api, clientSecret);
    return error === undefined ? { value: { amount: value.amount, currency: value.currency } } : { error };
  }

  /** How the elements are introduced to the API. */
  sessionParams() {
    const { options } = this;
    const customer = { customer_session_client_secret: options.customerSessionClientSecret };
    if (options.clientSecret !== undefined) return { client_secret: options.clientSecret, ...customer };
    return {
      ...customer,
      deferred_intent: {
        mode: options.mode,
        amount: options.amount,
        currency: options.currency,
        capture_method: this.captureMethod,
        setup_future_usage: this.futureUsage ?? undefined,
        allowed_payment_method_types: options.allowedPaymentMethodTypes,
        excluded_payment_method_types: options.excludedPaymentMethodTypes,
        payment_method_configuration: options.paymentMethodConfiguration,
      },
    };
  }

  /** @returns {string | undefined} */
  get captureMethod() {
    return this.options.captureMethod ?? this.options.capture_method;
  }

  /** @returns {string | null} */
  get futureUsage() {
    return this.options.setupFutureUsage ?? this.options.setup_future_usage ?? null;
  }
}

/**
 * @param {GroupOptions} options
 * @returns {GroupOptions}
 */
function checkedOptions(options) {
  const { amount, clientSecret, currency, mode } = options;
  if (clientSecret !== undefined) {
    demand(mode === undefined, "elements(): pass either a clientSecret or a mode, not both.");
    secretParts(clientSecret);
  }
  // The pinned release takes no `paymentMethodTypes`, and its types do not have it.
  demand(
    !("paymentMethodTypes" in options),
    "elements(): paymentMethodTypes is no longer supported; use allowedPaymentMethodTypes.",
  );
  if (mode !== undefined) {
    demand(
      options.allowedPaymentMethodTypes === undefined ||
        (options.paymentMethodConfiguration ?? options.excludedPaymentMethodTypes) === undefined,
      "elements(): allowedPaymentMethodTypes excludes paymentMethodConfiguration and" +
        " excludedPaymentMethodTypes.",
    );
    demand(mode === "payment", `elements(): the sandbox takes mode payment. You specified: ${mode}.`);
    demand(Number.isInteger(amount) && amount > 0, "elements(): amount must be a positive integer.");
    demand(/^[a-z]{3}$/.test(currency ?? ""), "elements(): currency must be three lower-case letters.");
  }
  return options;
}
