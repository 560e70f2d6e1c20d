/** The Payment Element as the shop's page has it: everything that matters is in its frame. */
class PaymentElement extends FramedElement {
  /**
   * @param {ElementsGroup} group
   * @param {StripePaymentElementOptions} options
   * @param {() => void} onDestroy
   */
  constructor(group, options, onDestroy) {
    super(
      "payment",
      () => {
        const frame = new Frame(
          `${group.api.origin}/elements/payment.html`,
          group.texts.say("paymentFrame"),
          () => this.state(),
          (type, detail) => this.heard(type, detail),
        );
        // About as high as the card form will be, so that little moves when it comes.
        frame.iframe.style.height = "20rem";
        frame.iframe.style.colorScheme = group.night ? "dark" : "light";
        frame.iframe.allow = "payment";
        return frame;
      },
      onDestroy,
    );
    this.group = group;
    this.options = options;
  }

  /** What the frame has to know. */
  state() {
    const { api, options } = this.group;
    return {
      key: api.key,
      session: this.group.sessionParams(),
      locale: this.group.locale,
      appearance: options.appearance ?? {},
      options: this.options,
    };
  }

  /** @param {Partial<StripePaymentElementOptions>} options */
  update(options) {
    this.options = { ...this.options, ...options };
    void this.refresh();
    return this;
  }

  /** @returns {Promise<{error?: any}>} */
  async refresh() {
    if (this.frame === null) return {};
    this.frame.iframe.style.colorScheme = this.group.night ? "dark" : "light";
    return this.frame.ask("update", this.state());
  }

  collapse() {
    this.frame?.tell("collapse");
    return this;
  }
}
