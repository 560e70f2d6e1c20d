/**
 * @typedef {object} ConfirmOptions
 * @property {ElementsGroup} [elements]
 * @property {string} [clientSecret]
 * @property {Json} [confirmParams]
 * @property {"always" | "if_required"} [redirect]
 */

/** The id within a client secret, which is refused if it cannot be one. */
function secretParts(/** @type {unknown} */ clientSecret) {
  const [, id] = typeof clientSecret === "string" ? (/^(pi_\w+?)_secret_\w+$/.exec(clientSecret) ?? []) : [];
  demand(id, "clientSecret should be a client secret of the form ${id}_secret_${secret}.");
  return { id, clientSecret: /** @type {string} */ (clientSecret) };
}

/**
 * @param {Api} api
 * @param {string} clientSecret
 */
function retrieveIntent(api, clientSecret) {
  const { id } = secretParts(clientSecret);
  return api.call("GET", `/v1/payment_intents/${id}`, { client_secret: clientSecret });
}

/** What an intent says when it could not be paid. */
function failure(/** @type {any} */ intent) {
  const { payment_method, ...error } = intent.last_payment_error;
  return { error: { ...error, payment_method, payment_intent: intent } };
}

/** Turns what elements collected into a payment, with all that the shopper has to do for it. */
class Confirmation {
  /**
   * @param {Api} api
   * @param {string} locale
   */
  constructor(api, locale) {
    this.api = api;
    this.locale = locale;
  }

  /**
   * @param {ConfirmOptions} options
   * @returns {Promise<PaymentIntentResult>}
   */
  async confirm({ elements, confirmParams = {}, redirect = "always", ...options }) {
    const { id, clientSecret } = secretParts(options.clientSecret ?? elements?.options.clientSecret);
    demand(redirect === "always" || redirect === "if_required", `Invalid value for redirect: ${redirect}.`);
    demand(
      redirect === "if_required" || confirmParams.return_url,
      "confirmPayment expects a return_url in confirmParams unless redirect is if_required.",
    );
    if (elements?.options.mode !== undefined) {
      demand(elements.submitted, "elements.submit() must be called before stripe.confirmPayment().");
      const { value, error } = await retrieveIntent(this.api, clientSecret);
      const mismatch = error ?? differing(elements, value);
      if (mismatch !== undefined) return this.#failed(elements, mismatch);
    }
    const answer = await this.#send(elements, id, { client_secret: clientSecret, ...confirmParams });
    if (answer.error !== undefined) return this.#failed(elements, answer.error);
    elements?.wallet?.finish();
    const result = await this.act(answer.value, elements);
    if (result.error !== undefined || redirect === "if_required") return result;
    return leaveFor(returnAddress(confirmParams.return_url, result.paymentIntent));
  }

  /**
   * Let the shopper do what an intent waits for.
   *
   * @param {any} intent
   * @param {ElementsGroup} [elements]
   * @returns {Promise<PaymentIntentResult>}
   */
  async act(intent, elements) {
    const { next_action: action } = intent;
    if (intent.status !== "requires_action" || action === null) return { paymentIntent: intent };
    if (action.type === "redirect_to_url") return leaveFor(action.redirect_to_url.url);
    const texts = elements?.texts ?? new Texts(this.locale);
    const outcome = await challenge(action.use_stripe_sdk.stripe_js, {
      title: texts.say("challenge"),
      close: texts.say("close"),
    });
    if (outcome === "closed") {
      await this.api.call("POST", `/v1/payment_intents/${intent.id}/source_cancel`, {
        client_secret: intent.client_secret,
      });
    }
    const { value, error } = await retrieveIntent(this.api, intent.client_secret);
    if (error !== undefined) return { error };
    return value.status === "requires_payment_method" ? failure(value) : { paymentIntent: value };
  }

  /**
   * @param {ElementsGroup | undefined} elements
   * @param {string} id
   * @param {Json} params
   */
  #send(elements, id, params) {
    const wallet = elements?.wallet;
    if (elements === undefined || wallet) {
      const paying = wallet && { payment_method_data: { ...params.payment_method_data, ...wallet.paying } };
      return this.api.call("POST", `/v1/payment_intents/${id}/confirm`, { ...params, ...paying });
    }
    return elements.form.ask("confirm", { id, params });
  }

  /**
   * @param {ElementsGroup | undefined} elements
   * @param {StripeError} error
   */
  #failed(elements, error) {
    elements?.wallet?.finish();
    return { error };
  }
}

/**
 * Stripe refuses an intent that is not what the elements were made for.
 *
 * @param {ElementsGroup} elements
 * @param {any} intent
 * @returns {StripeError | undefined}
 */
function differing({ options, captureMethod, futureUsage }, intent) {
  const manual = (/** @type {string | undefined} */ method) => method === "manual";
  /** @type {string[] | undefined} */
  const allowed = options.allowedPaymentMethodTypes ?? undefined;
  /** @type {[name: string, provided: any, expected: any, same: boolean][]} */
  const compared = [
    ["amount", options.amount, intent.amount, options.amount === intent.amount],
    ["currency", options.currency, intent.currency, options.currency === intent.currency],
    [
      "capture_method",
      captureMethod ?? "automatic",
      intent.capture_method,
      manual(captureMethod) === manual(intent.capture_method),
    ],
    ["setup_future_usage", futureUsage, intent.setup_future_usage, futureUsage === intent.setup_future_usage],
    [
      "payment_method_types",
      allowed ?? "automatic",
      intent.payment_method_types,
      (allowed === undefined) === (intent.automatic_payment_methods !== null) &&
        intent.payment_method_types.every((/** @type {string} */ kind) => allowed?.includes(kind) ?? true),
    ],
  ];
  const found = compared.find(([, , , same]) => !same);
  if (found === undefined) return undefined;
  const [name, provided, expected] = found;
  return {
    type: "invalid_request_error",
    message:
      `The provided ${name} (${provided}) does not match the expected ${name} (${expected}). Try confirming` +
      " with a Payment Intent that is configured to use the same parameters as Stripe Elements.",
    payment_intent: intent,
  };
}

/**
 * @param {string} address The shop's, whose own query stays.
 * @param {PaymentIntent} intent
 */
function returnAddress(address, intent) {
  const url = new URL(address, location.href);
  url.searchParams.set("payment_intent", intent.id);
  url.searchParams.set("payment_intent_client_secret", intent.client_secret ?? "");
  url.searchParams.set("redirect_status", intent.status === "processing" ? "pending" : "succeeded");
  return url.href;
}

/**
 * @param {string} address
 * @returns {Promise<never>} The page is being left: there will be no answer.
 */
function leaveFor(address) {
  location.assign(address);
  return new Promise(() => {});
}
