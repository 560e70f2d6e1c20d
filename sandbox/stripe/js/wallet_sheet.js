/** @typedef {{amount: number, lineItems: LineItem[], shippingRates: ShippingRate[]}} Quote */

/** The wallet's own window, as phones and browsers show it above a shop. */
class WalletSheet {
  #frame;
  #dialog;

  /**
   * @param {ElementsGroup} group
   * @param {Json} order What is bought, and what has to be asked for.
   * @param {Record<string, (detail: any) => void>} handlers For `address`, `rate`, `pay`, `cancel`.
   */
  constructor(group, order, handlers) {
    const { texts, night } = group;
    const title = texts.say("wallet");
    this.#frame = new Frame(
      `${group.api.origin}/elements/wallet.html`,
      title,
      () => ({ ...order, locale: group.locale, appearance: { theme: night ? "night" : "stripe" } }),
      (type, detail) => {
        if (type === "height") this.#frame.iframe.style.height = `${detail}px`;
        else if (type === "escape") handlers.cancel?.(undefined);
        else handlers[type]?.(detail);
      },
    );
    this.#frame.iframe.style.colorScheme = night ? "dark" : "light";
    this.#frame.iframe.style.height = "30rem";
    this.#dialog = new FrameDialog(this.#frame.iframe, {
      title,
      close: texts.say("close"),
      night,
      onClose: () => handlers.cancel?.(undefined),
    });
  }

  /** @param {Quote} quote */
  show(quote) {
    this.#frame.tell("quote", quote);
  }

  /** The shop does not accept what was chosen. */
  refuse() {
    this.#frame.tell("refuse");
  }

  /** @param {string} [message] */
  fail(message) {
    this.#frame.tell("fail", message);
  }

  close() {
    this.#frame.remove();
    this.#dialog.close();
  }
}
