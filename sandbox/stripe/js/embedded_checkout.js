/** Stripe's payment page within the shop's. */
class EmbeddedCheckout {
  static #open = false;
  /** @type {HTMLIFrameElement | null} */
  #iframe = null;
  #destroyed = false;

  /**
   * @param {string} url
   * @param {string} title
   * @param {(() => void) | undefined} onComplete
   */
  constructor(url, title, onComplete) {
    this.url = url;
    this.title = title;
    const { origin } = new URL(url);
    /** @param {MessageEvent} event */
    this.listen = (event) => {
      if (this.#iframe === null || event.source !== this.#iframe.contentWindow || event.origin !== origin) return;
      if (event.data?.type === "height") this.#iframe.style.height = `${Number(event.data.height)}px`;
      if (event.data?.type === "complete") onComplete?.();
    };
  }

  /**
   * @param {Api} api
   * @param {string} title
   * @param {StripeEmbeddedCheckoutOptions} options
   */
  static async create(api, title, { clientSecret, fetchClientSecret, onComplete }) {
    demand(!EmbeddedCheckout.#open, "You cannot have multiple Embedded Checkout objects.");
    demand(clientSecret || fetchClientSecret, "Pass a clientSecret or fetchClientSecret.");
    EmbeddedCheckout.#open = true;
    try {
      const secret = clientSecret ?? (await fetchClientSecret?.());
      const [, id] = /^(cs_\w+?)_secret_\w+$/.exec(secret ?? "") ?? [];
      demand(id, "The clientSecret is none of a Checkout Session.");
      return new EmbeddedCheckout(`${api.origin}/c/pay/${id}`, title, onComplete);
    } catch (error) {
      EmbeddedCheckout.#open = false;
      throw error;
    }
  }

  /** @param {string | HTMLElement} location */
  mount(location) {
    demand(!this.#destroyed, "This Embedded Checkout has already been destroyed.");
    const place = findPlace(location);
    this.unmount();
    const iframe = document.createElement("iframe");
    iframe.src = this.url;
    iframe.title = this.title;
    iframe.style.cssText = "display: block; width: 100%; height: 40rem; border: 0;";
    this.#iframe = iframe;
    window.addEventListener("message", this.listen);
    place.replaceChildren(iframe);
  }

  unmount() {
    window.removeEventListener("message", this.listen);
    this.#iframe?.remove();
    this.#iframe = null;
  }

  destroy() {
    this.unmount();
    if (!this.#destroyed) EmbeddedCheckout.#open = false;
    this.#destroyed = true;
  }
}
