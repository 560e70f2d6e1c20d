/**
 * @typedef {object} PaymentInit
 * @property {string} key
 * @property {Json} session Parameters of the elements session.
 * @property {string} locale
 * @property {Appearance} appearance
 * @property {StripePaymentElementOptions} options
 */
/** @typedef {{type: string, radio: HTMLInputElement, panel: HTMLElement, form: MethodForm, saved: any}} Choice */

/** The Payment Element: what a shopper pays with, which the shop's page never sees. */
class PaymentForm {
  api = new Api("", "");
  texts = new Texts("en");
  /** @type {PaymentInit | null} */
  init = null;
  /** @type {any} The elements session. */
  session = null;
  /** @type {Choice[]} */
  choices = [];
  /** @type {HTMLInputElement | null} */
  save = null;

  constructor() {
    this.port = new ShopPort({
      init: (init) => this.start(init),
      update: (init) => this.refresh(init),
      dress: (appearance) => dress(appearance),
      validate: () => this.validate(),
      confirm: (detail) => this.confirm(detail),
      token: (params) => this.send("/v1/confirmation_tokens", params, "confirmationToken"),
      method: (params) => this.createMethod(params),
      focus: () => this.focus(),
      blur: () => /** @type {HTMLElement | null} */ (document.activeElement)?.blur(),
      clear: () => this.render(),
      collapse: () => this.choose(null),
    });
    this.port.followHeight();
    byId("form").addEventListener("submit", (event) => event.preventDefault());
    byId("form").addEventListener("input", () => this.tellChange());
  }

  /** @param {PaymentInit} init */
  async start(init) {
    this.init = init;
    this.api.key = init.key;
    this.texts = new Texts(init.locale);
    document.documentElement.lang = this.texts.language;
    dress(init.appearance);
    this.port.tell("loaderstart");
    const { value, error } = await this.api.call("GET", "/v1/elements/sessions", init.session);
    byId("loading").hidden = true;
    if (error !== undefined) {
      this.port.tell("loaderror", { error });
      return;
    }
    this.session = value;
    this.render();
    // Ahead of `ready`, so that nothing moves once the element is said to be there.
    this.port.tellHeight();
    this.port.tell("ready");
    const kinds = value.payment_method_types.map((/** @type {string} */ kind) => [kind, { available: true }]);
    this.port.tell("availablepaymentmethodschange", { paymentMethods: Object.fromEntries(kinds) });
  }

  /**
   * The shop has changed something: what was entered stays, unless there is something else to enter.
   *
   * @param {PaymentInit} init
   */
  async refresh(init) {
    const before = this.shape();
    this.init = init;
    this.texts = new Texts(init.locale);
    dress(init.appearance);
    const { value, error } = await this.api.call("GET", "/v1/elements/sessions", init.session);
    if (error !== undefined) return { error };
    this.session = value;
    if (this.shape() !== before) this.render();
    return {};
  }

  /** What the form depends on. */
  shape() {
    const { customer, payment_method_types } = this.session ?? {};
    return JSON.stringify([this.init?.options, this.texts.locale, customer, payment_method_types]);
  }

  render() {
    const { session, texts } = this;
    const options = this.init?.options ?? {};
    const saved = session.customer?.payment_methods ?? [];
    const order = options.paymentMethodOrder ?? [];
    /** @param {string} kind */
    const rank = (kind) => (order.includes(kind) ? order.indexOf(kind) : order.length);
    /** @type {string[]} */
    const kinds = [...session.payment_method_types].sort((one, other) => rank(one) - rank(other));
    /** @type {{[kind: string]: typeof cardForm}} */
    const forms = { card: cardForm, sepa_debit: debitForm };
    this.choices = [
      ...saved.map((/** @type {any} */ method) => this.savedChoice(method)),
      ...kinds.map((kind) => {
        const form = forms[kind]?.(texts, options) ?? redirectForm(texts, kind);
        const name = BRANDS[kind] ?? texts.say(/** @type {MessageName} */ (kind));
        return this.choice(kind, kind, name, form, null);
      }),
    ];
    this.save = null;
    if (session.customer?.features.payment_method_save === "enabled") this.offerToSave();
    const list = make("div", { class: "choices" });
    for (const each of this.choices) {
      const row = /** @type {HTMLElement} */ (each.radio.parentElement);
      row.hidden = this.choices.length === 1;
      list.append(make("div", { class: "choice" }, row, each.panel));
    }
    const legend = make("legend", { class: "visually-hidden" }, texts.say("methods"));
    const live = make("p", { id: "live", class: "visually-hidden", "aria-live": "polite" });
    byId("form").replaceChildren(make("fieldset", {}, legend, list), live);
    byId("form").hidden = false;
    const { layout } = options;
    const collapsed = typeof layout === "object" && layout.defaultCollapsed === true;
    this.choose(collapsed && this.choices.length > 1 ? null : (this.choices[0] ?? null));
  }

  /**
   * @param {string} id
   * @param {string} type
   * @param {string} label
   * @param {MethodForm} form
   * @param {any} saved
   * @returns {Choice}
   */
  choice(id, type, label, form, saved) {
    const radio = make("input", { type: "radio", name: "method", id: `method-${id}`, value: id });
    make("div", { class: "row" }, radio, make("label", { for: radio.id }, label));
    const panel = make("div", { class: "panel" }, ...form.nodes);
    const choice = { type, radio, panel, form, saved };
    radio.addEventListener("change", () => this.choose(choice));
    return choice;
  }

  /** @param {any} method */
  savedChoice(method) {
    const { brand, last4, exp_month, exp_year } = method.card;
    const name = brand.charAt(0).toUpperCase() + brand.slice(1);
    const until = `${String(exp_month).padStart(2, "0")}/${exp_year % 100}`;
    const label = `${this.texts.say("ending", { brand: name, last4 })}, ${this.texts.say("expires")} ${until}`;
    /** @type {MethodForm} */
    const form = { nodes: [], fields: [], data: () => ({}) };
    const choice = this.choice(method.id, "card", label, form, method);
    if (this.session.customer.features.payment_method_remove === "enabled") {
      const spoken = `${this.texts.say("remove")} ${this.texts.say("ending", { brand: name, last4 })}`;
      const attributes = { type: "button", class: "link", "aria-label": spoken };
      const remove = make("button", attributes, this.texts.say("remove"));
      remove.addEventListener("click", () => this.remove(method));
      choice.radio.parentElement?.append(remove);
    }
    return choice;
  }

  offerToSave() {
    const panel = this.choices.find((each) => each.type === "card" && each.saved === null)?.panel;
    this.save = make("input", { type: "checkbox", id: "save" });
    panel?.append(make("label", { class: "check", for: "save" }, this.save, this.texts.say("save")));
  }

  /** @param {any} method */
  async remove(method) {
    const { error } = await this.api.call("POST", `/v1/elements/payment_methods/${method.id}/detach`, {
      customer_session_client_secret: this.init?.session.customer_session_client_secret,
    });
    if (error === undefined) {
      const { customer } = this.session;
      customer.payment_methods = customer.payment_methods.filter((/** @type {any} */ each) => each !== method);
      this.render();
      byId("live").textContent = this.texts.say("removed");
      this.choices[0]?.radio.focus();
    }
    const { id, type, billing_details } = method;
    this.port.tell("savedpaymentmethodremove", {
      success: error === undefined,
      error: error?.message,
      payment_method: { id, type, billing_details },
    });
  }

  /** @param {Choice | null} chosen */
  choose(chosen) {
    for (const each of this.choices) {
      each.radio.checked = each === chosen;
      each.panel.hidden = each !== chosen || each.panel.childElementCount === 0;
    }
    this.tellChange();
  }

  get chosen() {
    return this.choices.find((each) => each.radio.checked) ?? null;
  }

  focus() {
    const { chosen } = this;
    const [field] = chosen?.form.fields ?? [];
    (this.choices.length > 1 ? chosen?.radio : field?.input)?.focus();
  }

  tellChange() {
    const { chosen } = this;
    const fields = chosen?.form.fields ?? [];
    const { saved } = chosen ?? {};
    const value = {
      type: chosen?.type ?? "",
      ...(saved && {
        payment_method: { id: saved.id, type: saved.type, billing_details: saved.billing_details },
      }),
      ...(this.save && chosen?.panel.contains(this.save) && { savePaymentMethod: this.save.checked }),
    };
    this.port.tell("change", {
      complete: chosen !== null && fields.every((field) => field.complete),
      empty: chosen === null || (fields.length > 0 && fields.every((field) => field.value === "")),
      collapsed: chosen === null,
      value,
    });
  }

  /** What is still missing, shown to the shopper; the first wrong field gets the focus. */
  validate() {
    const { chosen } = this;
    if (chosen === null) {
      const message = this.texts.say("choose");
      byId("live").textContent = message;
      return { error: { type: "validation_error", code: "incomplete_payment_details", message } };
    }
    const wrong = chosen.form.fields.map((field) => ({ field, flaw: field.flaw() })).filter(({ flaw }) => flaw);
    const [first] = wrong;
    if (first?.flaw) {
      first.field.input.focus();
      const { code, message } = first.flaw;
      return { error: { type: "validation_error", code, message: this.texts.say(message) } };
    }
    return { selectedPaymentMethod: chosen.type };
  }

  /**
   * How to pay, as parameters of the API.
   *
   * @param {Json} [given] The shop's `payment_method_data`.
   */
  paying(given = {}) {
    const { chosen } = this;
    if (chosen?.saved) return { payment_method: chosen.saved.id };
    const data = chosen?.form.data() ?? {};
    const { address, ...billing } = given.billing_details ?? {};
    return {
      payment_method_data: {
        ...given,
        ...data,
        billing_details: {
          ...defined(billing),
          ...defined(data.billing_details),
          address: { ...defined(address), ...defined(data.billing_details?.address) },
        },
        allow_redisplay: given.allow_redisplay ?? this.redisplay(),
      },
    };
  }

  redisplay() {
    if (this.save === null || !this.chosen?.panel.contains(this.save)) return undefined;
    if (this.save.checked) return "always";
    return this.futureUsage() ? "limited" : "unspecified";
  }

  /** What the shop has planned for the method. */
  futureUsage() {
    const { deferred_intent } = this.init?.session ?? {};
    return (deferred_intent ?? this.session.payment_intent)?.setup_future_usage;
  }

  /** @param {{id: string, params: Json}} detail */
  async confirm({ id, params }) {
    const { payment_method_data, ...rest } = params;
    const usage = this.save?.checked && this.chosen?.panel.contains(this.save) && !this.futureUsage()
      ? (this.session.customer.features.payment_method_save_usage ?? undefined)
      : undefined;
    return this.api.call("POST", `/v1/payment_intents/${id}/confirm`, {
      setup_future_usage: usage,
      ...rest,
      ...this.paying(payment_method_data),
    });
  }

  /** @param {Json} [params] */
  async createMethod(params) {
    const { chosen } = this;
    if (chosen?.saved) return { paymentMethod: chosen.saved };
    const { payment_method_data } = this.paying(params);
    const { value, error } = await this.api.call("POST", "/v1/payment_methods", payment_method_data);
    return error === undefined ? { paymentMethod: value } : { error };
  }

  /**
   * @param {string} path
   * @param {Json} [params]
   * @param {string} [name] Of the result.
   */
  async send(path, { payment_method_data, ...rest } = {}, name = "value") {
    const params = { ...rest, ...this.paying(payment_method_data) };
    const { value, error } = await this.api.call("POST", path, params);
    return error === undefined ? { [name]: value } : { error };
  }
}

/**
 * Without what is missing or empty, so that it covers nothing that is there.
 *
 * @param {Json} [values]
 */
function defined(values = {}) {
  const missing = [undefined, null, ""];
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !missing.includes(value)));
}

new PaymentForm();
