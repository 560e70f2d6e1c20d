/** A labelled input that says below itself what is wrong with it. */
class Field {
  #problem;

  /**
   * @param {string} id
   * @param {string} label
   * @param {Record<string, string>} attributes
   * @param {(value: string) => Flaw | null} check
   * @param {Texts} texts
   */
  constructor(id, label, attributes, check, texts) {
    this.check = check;
    this.texts = texts;
    const described = `${id}-problem`;
    this.input = make("input", { id, type: "text", "aria-describedby": described, ...attributes });
    this.#problem = make("p", { id: described, class: "problem", role: "alert", hidden: true });
    this.node = make("div", {}, make("label", { for: id }, label), this.input, this.#problem);
    this.input.addEventListener("input", () => this.#show(null));
    this.input.addEventListener("blur", () => {
      if (this.input.value !== "") this.flaw();
    });
  }

  get value() {
    return this.input.value.trim();
  }

  get complete() {
    return this.check(this.value) === null;
  }

  /** What is wrong, shown to the shopper. */
  flaw() {
    const found = this.check(this.value);
    this.#show(found);
    return found;
  }

  /** @param {Flaw | null} flaw */
  #show(flaw) {
    this.input.toggleAttribute("aria-invalid", flaw !== null);
    if (flaw !== null) this.input.setAttribute("aria-invalid", "true");
    this.#problem.hidden = flaw === null;
    this.#problem.textContent = flaw === null ? "" : this.texts.say(flaw.message);
  }
}

/** Countries that the sandbox sells to, and those whose cards are checked by postcode. */
const COUNTRIES = "AT BE CA CH DE DK ES FI FR GB IE IT JP LU NL NO PL PT SE US".split(" ");
const WITH_POSTCODE = ["CA", "GB", "US"];

/**
 * @typedef {object} MethodForm What a shopper fills in for one way to pay.
 * @property {Node[]} nodes
 * @property {Field[]} fields
 * @property {() => Json} data As `payment_method_data`.
 */

/**
 * @param {Texts} texts
 * @param {StripePaymentElementOptions} options
 * @returns {MethodForm}
 */
function cardForm(texts, options) {
  /** @param {(digits: string) => string} format */
  const formatted = (format) => (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const typing = !/** @type {InputEvent} */ (event).inputType?.startsWith("delete");
    // In the middle of the text it would move the cursor.
    if (typing && input.selectionStart === input.value.length) {
      input.value = format(digitsOf(input.value));
    }
  };
  const number = new Field(
    "number",
    texts.say("number"),
    { inputmode: "numeric", autocomplete: "cc-number", maxlength: "23", placeholder: "1234 1234 1234 1234" },
    numberFlaw,
    texts,
  );
  number.input.addEventListener("input", formatted((digits) => digits.replace(/(\d{4})(?=\d)/g, "$1 ")));
  const expiry = new Field(
    "expiry",
    texts.say("expiry"),
    { inputmode: "numeric", autocomplete: "cc-exp", maxlength: "9", placeholder: "MM / YY" },
    expiryFlaw,
    texts,
  );
  expiry.input.addEventListener(
    "input",
    formatted((digits) => {
      const padded = /^[2-9]/.test(digits) ? `0${digits}` : digits;
      return padded.length < 2 ? padded : `${padded.slice(0, 2)} / ${padded.slice(2)}`;
    }),
  );
  const cvc = new Field(
    "cvc",
    texts.say("cvc"),
    { inputmode: "numeric", autocomplete: "cc-csc", maxlength: "4", placeholder: "CVC" },
    (value) => cvcFlaw(value, number.value),
    texts,
  );
  const address = addressForm(texts, options);
  const use = TEST_CARDS.map(([digits, outcome]) => {
    const button = make(
      "button",
      { type: "button", class: "link", "aria-label": texts.say("useTestCard", { number: digits }) },
      digits,
    );
    button.addEventListener("click", () => {
      number.input.value = digits;
      expiry.input.value ||= "12 / 34";
      cvc.input.value ||= "123";
      for (const field of [number, expiry, cvc]) {
        field.input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
    });
    return make("div", {}, make("dt", {}, button), make("dd", {}, texts.say(outcome)));
  });
  const hints = make(
    "details",
    { class: "cards" },
    make("summary", {}, texts.say("testCards")),
    make("dl", {}, ...use),
  );
  return {
    nodes: [number.node, make("div", { class: "pair" }, expiry.node, cvc.node), ...address.nodes, hints],
    fields: [number, expiry, cvc, ...address.fields],
    data: () => {
      const { month, year } = readExpiry(expiry.value);
      return {
        type: "card",
        card: { number: digitsOf(number.value), exp_month: month, exp_year: year, cvc: cvc.value },
        ...address.data(),
      };
    },
  };
}

/**
 * Country and, where banks compare it, postcode; each only if the shop wants the element to ask.
 *
 * @param {Texts} texts
 * @param {StripePaymentElementOptions} options
 * @returns {MethodForm}
 */
function addressForm(texts, { fields, defaultValues }) {
  const wanted = wantedFields(fields).address;
  const known = defaultValues?.billingDetails?.address ?? {};
  const names = new Intl.DisplayNames([texts.locale], { type: "region" });
  const country = make("select", { id: "country", autocomplete: "country" });
  const listed = COUNTRIES.includes(known.country ?? "DE") ? COUNTRIES : [...COUNTRIES, known.country ?? ""];
  const sorted = listed.map((code) => /** @type {const} */ ([code, names.of(code) ?? code])).sort(
    ([, one], [, other]) => one.localeCompare(other, texts.locale),
  );
  for (const [code, name] of sorted) country.append(make("option", { value: code }, name));
  const region = texts.locale.split("-")[1] ?? "";
  country.value = known.country ?? (COUNTRIES.includes(region) ? region : "DE");
  const needsPostcode = () => wanted.postalCode && WITH_POSTCODE.includes(country.value);
  const postcode = new Field(
    "postcode",
    texts.say("postcode"),
    { autocomplete: "postal-code", maxlength: "12" },
    (value) =>
      value !== "" || !needsPostcode() ? null : { code: "incomplete_zip", message: "incompletePostcode" },
    texts,
  );
  postcode.input.value = known.postal_code ?? "";
  const arrange = () => {
    postcode.node.hidden = !needsPostcode();
  };
  country.addEventListener("change", arrange);
  arrange();
  const chosen = make("div", {}, make("label", { for: "country" }, texts.say("country")), country);
  return {
    nodes: wanted.country ? [make("div", { class: "pair" }, chosen, postcode.node)] : [],
    fields: wanted.country ? [postcode] : [],
    data: () => ({
      billing_details: {
        address: wanted.country
          ? { country: country.value, postal_code: needsPostcode() ? postcode.value : undefined }
          : {},
      },
    }),
  };
}

/**
 * @param {Texts} texts
 * @param {StripePaymentElementOptions} options
 * @returns {MethodForm}
 */
function debitForm(texts, { business, fields, defaultValues }) {
  const wanted = wantedFields(fields);
  const known = defaultValues?.billingDetails ?? {};
  const iban = new Field(
    "iban",
    texts.say("iban"),
    {
      autocomplete: "off",
      autocapitalize: "characters",
      spellcheck: "false",
      maxlength: "42",
      placeholder: "DE89 3704 0044 0532 0130 00",
    },
    ibanFlaw,
    texts,
  );
  const holder = new Field(
    "holder",
    texts.say("holder"),
    { autocomplete: "name", maxlength: "200" },
    (value) => (value === "" ? { code: "incomplete_name", message: "incompleteHolder" } : null),
    texts,
  );
  holder.input.value = known.name ?? "";
  const email = new Field(
    "email",
    texts.say("email"),
    { type: "email", autocomplete: "email", maxlength: "254" },
    (value) =>
      /^[^@\s]+@[^@\s]+$/.test(value) ? null : { code: "incomplete_email", message: "invalidEmail" },
    texts,
  );
  email.input.value = known.email ?? "";
  const shown = [iban, ...(wanted.name ? [holder] : []), ...(wanted.email ? [email] : [])];
  const mandate = texts.say("mandate", { business: business?.name ?? texts.say("shop") });
  return {
    nodes: [...shown.map((field) => field.node), make("p", { class: "muted" }, mandate)],
    fields: shown,
    data: () => ({
      type: "sepa_debit",
      sepa_debit: { iban: iban.value.replace(/\s/g, "").toUpperCase() },
      billing_details: {
        name: wanted.name ? holder.value : undefined,
        email: wanted.email ? email.value : undefined,
      },
    }),
  };
}

/** @type {{[kind: string]: string}} Names that are the same in every language. */
const BRANDS = {
  bancontact: "Bancontact",
  blik: "BLIK",
  eps: "EPS",
  klarna: "Klarna",
  link: "Link",
  p24: "Przelewy24",
  paypal: "PayPal",
  twint: "TWINT",
};

/**
 * @param {Texts} texts
 * @param {string} kind
 * @returns {MethodForm}
 */
function redirectForm(texts, kind) {
  const hint = make("p", { class: "muted" }, texts.say("redirect"));
  return { nodes: [hint], fields: [], data: () => ({ type: kind, billing_details: {} }) };
}

/**
 * Which billing details the element asks for; the shop sends the others itself.
 *
 * @param {StripePaymentElementOptions["fields"]} fields
 */
function wantedFields(fields) {
  const billing = fields?.billingDetails ?? "auto";
  const each = typeof billing === "string" ? { name: billing, email: billing, address: billing } : billing;
  const address = each.address ?? "auto";
  const whole = typeof address === "string" ? address : null;
  const parts = typeof address === "string" ? {} : address;
  return {
    name: each.name !== "never",
    email: each.email !== "never",
    address: {
      country: whole !== "never" && parts.country !== "never",
      postalCode: whole !== "never" && parts.postalCode !== "never",
    },
  };
}
