/**
 * @typedef {object} WalletOrder
 * @property {string} locale
 * @property {Appearance} appearance
 * @property {string} business
 * @property {number} amount
 * @property {string} currency
 * @property {LineItem[]} lineItems
 * @property {ShippingRate[]} shippingRates
 * @property {boolean} shippingAddressRequired
 * @property {boolean} emailRequired
 * @property {boolean} phoneNumberRequired
 * @property {string[]} [allowedShippingCountries]
 */

const HOLDER = "Ada Byron";
const WALLET_CARDS = [
  ["tok_visa", "Visa •••• 4242"],
  ["tok_mastercard", "Mastercard •••• 4444"],
  ["tok_threeDSecure2Required", "Visa •••• 3220 (3-D Secure)"],
  ["tok_visa_chargeDeclined", "Visa •••• 0002 (declined)"],
];
const WALLET_ADDRESSES = [
  { line1: "Lindenstrasse 12", line2: null, city: "Berlin", state: "", postal_code: "10969", country: "DE" },
  { line1: "12 St James's Square", line2: null, city: "London", state: "", postal_code: "SW1Y 4JH", country: "GB" },
  { line1: "350 Fifth Avenue", line2: null, city: "New York", state: "NY", postal_code: "10118", country: "US" },
];

/** The wallet: cards and addresses that it knows, and one button. */
class Wallet {
  texts = new Texts("en");
  /** @type {WalletOrder | null} */
  order = null;
  /** @type {ShippingRate[]} */
  rates = [];
  card = make("select", { id: "card" });
  address = make("select", { id: "address" });
  shipping = make("fieldset");
  sums = make("dl", { class: "sums" });
  alert = make("p", { class: "problem", role: "alert" });
  pay = make("button", { type: "submit", class: "primary" });

  constructor() {
    this.port = new ShopPort({
      init: (order) => this.start(order),
      quote: (quote) => this.show(quote),
      refuse: () => this.refuse(this.texts.say("unserviceable")),
      fail: (message) => {
        this.wait(false);
        this.alert.textContent = message ?? this.texts.say("failed");
      },
    });
    this.port.followHeight();
    this.address.addEventListener("change", () => this.tellAddress());
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.agree();
    });
  }

  /** @param {WalletOrder} order */
  start(order) {
    this.order = order;
    this.texts = new Texts(order.locale);
    const { texts } = this;
    document.documentElement.lang = texts.language;
    dress(order.appearance);
    for (const [token = "", name = ""] of WALLET_CARDS) this.card.append(make("option", { value: token }, name));
    const allowed = order.allowedShippingCountries;
    WALLET_ADDRESSES.forEach(({ line1, city, country }, index) => {
      if (allowed === undefined || allowed.includes(country)) {
        this.address.append(make("option", { value: String(index) }, `${line1}, ${city}, ${country}`));
      }
    });
    const heading = make("h1", {}, texts.say("wallet"), make("strong", { class: "badge" }, "TEST MODE"));
    const to = make("p", { class: "muted" }, texts.say("payTo", { business: order.business }));
    const card = make("div", {}, make("label", { for: "card" }, texts.say("payingCard")), this.card);
    const address = make("div", {}, make("label", { for: "address" }, texts.say("shipTo")), this.address);
    address.hidden = this.shipping.hidden = !order.shippingAddressRequired;
    const fake = make("p", { class: "muted" }, texts.say("fake"));
    byId("form").replaceChildren(heading, to, card, address, this.shipping, this.sums, this.alert, this.pay, fake);
    this.show(order);
    this.pay.focus();
    if (order.shippingAddressRequired) this.tellAddress();
  }

  /** @param {{amount: number, lineItems: LineItem[], shippingRates: ShippingRate[]}} quote */
  show({ amount, lineItems, shippingRates }) {
    const { order, texts } = this;
    if (order === null) return;
    const total = texts.money(amount, order.currency);
    const rows = lineItems.map((item) => this.row(item.name, texts.money(item.amount, order.currency)));
    const last = this.row(texts.say("total"), total);
    last.className = "total";
    this.sums.replaceChildren(...rows, last);
    if (JSON.stringify(shippingRates) !== JSON.stringify(this.rates)) this.offer(shippingRates);
    this.pay.textContent = texts.say("pay", { amount: total });
    this.alert.textContent = "";
    this.wait(false);
  }

  /** @param {ShippingRate[]} rates The first is the default. */
  offer(rates) {
    this.rates = rates;
    const { order, texts } = this;
    const choices = rates.map((rate, index) => {
      const id = `rate-${index}`;
      const radio = make("input", { type: "radio", name: "rate", id, value: rate.id, checked: index === 0 });
      radio.addEventListener("change", () => {
        this.wait(true);
        this.port.tell("rate", rate);
      });
      const amount = make("span", { class: "amount" }, texts.money(rate.amount, order?.currency ?? "eur"));
      const label = make("label", { for: id }, make("span", {}, rate.displayName), amount);
      return make("div", { class: "choice" }, make("div", { class: "row" }, radio, label));
    });
    const legend = make("legend", {}, texts.say("shipping"));
    this.shipping.replaceChildren(legend, make("div", { class: "choices" }, ...choices));
  }

  /** @param {string} message */
  refuse(message) {
    this.wait(false);
    this.pay.disabled = true;
    this.alert.textContent = message;
  }

  tellAddress() {
    const { line1: _, line2: __, ...partial } = this.chosenAddress;
    this.wait(true);
    this.port.tell("address", { name: HOLDER, address: partial });
  }

  get chosenAddress() {
    return WALLET_ADDRESSES[Number(this.address.value)] ?? /** @type {any} */ (WALLET_ADDRESSES[0]);
  }

  agree() {
    const { order } = this;
    if (order === null || this.pay.disabled) return;
    this.wait(true);
    this.alert.textContent = "";
    const rate = this.shipping.querySelector("input:checked");
    const address = this.chosenAddress;
    this.port.tell("pay", {
      token: this.card.value,
      billingDetails: {
        name: HOLDER,
        address,
        ...(order.emailRequired && { email: "ada@example.com" }),
        ...(order.phoneNumberRequired && { phone: "+49301234567" }),
      },
      ...(order.shippingAddressRequired && { shippingAddress: { name: HOLDER, address } }),
      ...(rate instanceof HTMLInputElement && {
        shippingRate: this.rates.find((each) => each.id === rate.value),
      }),
    });
  }

  /** @param {boolean} busy */
  wait(busy) {
    this.pay.disabled = busy;
    this.pay.setAttribute("aria-busy", String(busy));
  }

  /**
   * @param {string} name
   * @param {string} amount
   */
  row(name, amount) {
    return make("div", {}, make("dt", {}, name), make("dd", { class: "amount" }, amount));
  }
}

new Wallet();
