/** How long a shop may take to answer a click, as with the real one. */
const CLICK_MS = 1_000;
/** What the sandbox's wallet can be to the shop, in this order: one that every shop knows. */
const WALLETS = /** @type {const} */ ([
  ["googlePay", "google_pay"],
  ["applePay", "apple_pay"],
]);

/** The Express Checkout Element: a wallet's button, and the wallet above the page. */
class ExpressCheckoutElement extends FramedElement {
  /** @type {WalletSheet | null} */
  sheet = null;
  /** @type {Json | null} The `payment_method_data` of a wallet that waits for its confirmation. */
  paying = null;

  /**
   * @param {ElementsGroup} group
   * @param {StripeExpressCheckoutElementOptions} options
   * @param {() => void} onDestroy
   */
  constructor(group, options, onDestroy) {
    super(
      "expressCheckout",
      () => {
        const frame = new Frame(
          `${group.api.origin}/elements/express.html`,
          group.texts.say("expressFrame"),
          () => this.state(),
          (type, detail) => this.heard(type, detail),
        );
        frame.iframe.style.height = "54px";
        frame.iframe.style.colorScheme = group.night ? "dark" : "light";
        return frame;
      },
      onDestroy,
    );
    this.group = group;
    this.options = options;
  }

  state() {
    return {
      locale: this.group.locale,
      appearance: this.group.options.appearance ?? {},
      height: this.options.buttonHeight ?? 44,
      hidden: this.button === undefined,
    };
  }

  /** The wallet that the shop has left switched on. */
  get button() {
    const cards = this.group.options.allowedPaymentMethodTypes?.includes("card") ?? true;
    const { paymentMethods } = this.options;
    return cards ? WALLETS.find(([name]) => paymentMethods?.[name] !== "never") : undefined;
  }

  /** @param {Partial<StripeExpressCheckoutElementOptions>} options */
  update(options) {
    this.options = { ...this.options, ...options };
    this.frame?.tell("update", this.state());
    return this;
  }

  destroy() {
    this.finish();
    super.destroy();
  }

  /**
   * @param {string} type
   * @param {any} detail
   */
  heard(type, detail) {
    if (type === "press") this.#click();
    else if (type === "ready") this.#ready();
    else super.heard(type, detail);
  }

  /** The payment was made, or it failed for good: the wallet goes away. */
  finish() {
    this.sheet?.close();
    this.sheet = null;
    this.paying = null;
  }

  #ready() {
    const others = { amazonPay: false, applePay: false, link: false, paypal: false, klarna: false };
    const name = this.button?.[0];
    super.heard("ready", {
      availablePaymentMethods: name && { ...others, googlePay: false, [name]: true },
    });
    super.heard("availablepaymentmethodschange", {
      paymentMethods: name && { [name]: { available: true } },
    });
  }

  #click() {
    if (this.sheet !== null) return;
    let open = true;
    const timer = setTimeout(() => {
      open = false;
      this.frame?.tell("idle");
      console.error("Stripe.js: resolve() of the click event was not called within 1 second.");
    }, CLICK_MS);
    /** @param {(() => void)} then */
    const answer = (then) => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      then();
    };
    /** @param {ClickResolveDetails} [details] */
    const resolve = (details) => answer(() => void this.#open({ ...this.options, ...details }));
    const reject = () => answer(() => this.frame?.tell("idle"));
    if (!this.hears("click")) resolve();
    else {
      const expressPaymentType = this.button?.[1];
      super.heard("click", { expressPaymentType, resolve: this.#checked(resolve), reject });
    }
  }

  /**
   * A shop's mistakes are its own: they are thrown where it answers.
   *
   * @template {ClickResolveDetails | ChangeResolveDetails} T
   * @param {(details?: T) => void} resolve
   * @returns {(details?: T) => void}
   */
  #checked(resolve) {
    return (details) => {
      const { lineItems = [], shippingRates } = details ?? {};
      const { amount } = this.group.options;
      const sum = lineItems.reduce((total, item) => total + item.amount, 0);
      demand(
        amount === undefined || sum <= amount,
        `The amount ${amount} is less than the total amount of the line items provided.`,
      );
      const asks = { ...this.options, ...details };
      const rates = shippingRates ?? this.options.shippingRates ?? [];
      const ships = "shippingAddressRequired" in asks && asks.shippingAddressRequired === true;
      demand(
        !ships || rates.length > 0 || this.sheet,
        "When shippingAddressRequired is true, you must specify shippingRates.",
      );
      resolve(details);
    };
  }

  /** @param {StripeExpressCheckoutElementOptions & ClickResolveDetails} details */
  async #open(details) {
    const total = await this.group.total();
    this.frame?.tell("idle");
    if (total.error !== undefined) {
      super.heard("loaderror", { error: total.error });
      return;
    }
    const order = {
      ...total.value,
      business: details.business?.name ?? location.host,
      emailRequired: details.emailRequired === true,
      lineItems: details.lineItems ?? [],
      phoneNumberRequired: details.phoneNumberRequired === true,
      shippingAddressRequired: details.shippingAddressRequired === true,
      allowedShippingCountries: details.allowedShippingCountries,
      shippingRates: details.shippingRates ?? [],
    };
    let { lineItems, shippingRates } = order;
    /**
     * @param {string} type
     * @param {Json} event
     */
    const ask = (type, event) => {
      const { sheet } = this;
      /** @param {ChangeResolveDetails} [changed] */
      const resolve = async (changed) => {
        lineItems = changed?.lineItems ?? lineItems;
        shippingRates = changed?.shippingRates ?? shippingRates;
        const { value } = await this.group.total();
        if (value !== undefined) sheet?.show({ amount: value.amount, lineItems, shippingRates });
      };
      if (!this.hears(type)) void resolve();
      else super.emit(type, { ...event, resolve: this.#checked(resolve), reject: () => sheet?.refuse() });
    };
    this.sheet = new WalletSheet(this.group, order, {
      address: (event) => ask("shippingaddresschange", event),
      rate: (shippingRate) => ask("shippingratechange", { shippingRate }),
      pay: (payment) => this.#confirm(payment),
      cancel: () => {
        this.finish();
        this.focus();
        super.heard("cancel", {});
      },
    });
  }

  /** @param {Json} payment What the shopper has agreed to. */
  #confirm({ token, billingDetails, ...chosen }) {
    this.paying = { type: "card", card: { token }, billing_details: billingDetails };
    super.emit("confirm", {
      ...chosen,
      billingDetails,
      expressPaymentType: this.button?.[1],
      paymentFailed: (/** @type {{message?: string}} */ { message } = {}) => {
        this.paying = null;
        this.sheet?.fail(message);
      },
    });
  }
}
