/**
 * A page of the stand-in within the shop's page, and the private line to it.
 *
 * The page says hello, from the stand-in's origin and from this very frame; it is answered with
 * one end of a channel, addressed to that origin alone. Everything else goes through the channel.
 */
class Frame {
  /** @type {MessagePort | null} */
  #port = null;
  #calls = 0;
  /** @type {object[]} What is said before the line stands. */
  #early = [];
  /** @type {Map<number, (value: any) => void>} */
  #waiting = new Map();

  /**
   * @param {string} src
   * @param {string} title For those who do not see the frame.
   * @param {() => object} init What the page is told first.
   * @param {(type: string, detail: any) => void} heard What the page tells afterwards.
   */
  constructor(src, title, init, heard) {
    this.iframe = document.createElement("iframe");
    this.iframe.src = src;
    this.iframe.title = title;
    const { style } = this.iframe;
    style.display = "block";
    style.width = "100%";
    style.border = "0";
    const { origin } = new URL(src);
    /** @param {MessageEvent} event */
    this.listener = (event) => {
      if (event.source !== this.iframe.contentWindow || event.origin !== origin) return;
      if (event.data !== "hello") return;
      const { port1, port2 } = new MessageChannel();
      this.#port?.close();
      this.#port = port1;
      port1.onmessage = ({ data }) => {
        if (data.answer === undefined) {
          heard(data.type, data.detail);
          return;
        }
        this.#waiting.get(data.answer)?.(data.value);
        this.#waiting.delete(data.answer);
      };
      this.iframe.contentWindow?.postMessage("welcome", origin, [port2]);
      this.tell("init", init());
      for (const message of this.#early.splice(0)) port1.postMessage(message);
    };
    window.addEventListener("message", this.listener);
  }

  /**
   * @param {string} type
   * @param {any} [detail]
   */
  tell(type, detail) {
    this.#say({ type, detail });
  }

  /**
   * Ask the page for something.
   *
   * @param {string} type
   * @param {any} [detail]
   * @returns {Promise<any>}
   */
  ask(type, detail) {
    const call = ++this.#calls;
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      this.#say({ type, detail, call });
    });
  }

  /**
   * Shops pass functions in options, too: Stripe.js takes them, and no frame gets them.
   *
   * @param {object} message
   */
  #say(message) {
    const sent = JSON.parse(JSON.stringify(message));
    if (this.#port === null) this.#early.push(sent);
    else this.#port.postMessage(sent);
  }

  remove() {
    window.removeEventListener("message", this.listener);
    this.#port?.close();
    this.#port = null;
    this.iframe.remove();
    const error = { type: "api_error", message: "The element was removed meanwhile." };
    for (const resolve of this.#waiting.values()) resolve({ error });
    this.#waiting.clear();
  }
}

/**
 * Where an element is to be shown.
 *
 * @param {string | HTMLElement} location
 * @returns {HTMLElement}
 */
function findPlace(location) {
  const found = typeof location === "string" ? document.querySelector(location) : location;
  demand(
    found instanceof HTMLElement,
    `The selector you specified (${location}) applies to no DOM elements that are currently on the` +
      " page. Make sure the element exists on the page before calling mount().",
  );
  return found;
}

/** What all elements have in common: a frame that is shown somewhere. */
class FramedElement extends Emitter {
  /** @type {Frame | null} */
  frame = null;
  #destroyed = false;

  /**
   * @param {string} elementType
   * @param {() => Frame} open
   * @param {() => void} onDestroy
   */
  constructor(elementType, open, onDestroy) {
    super();
    this.elementType = elementType;
    this.open = open;
    this.onDestroy = onDestroy;
  }

  /** @param {string | HTMLElement} location */
  mount(location) {
    demand(!this.#destroyed, "This Element has already been destroyed. Please create a new one.");
    const place = findPlace(location);
    this.frame?.remove();
    this.frame = this.open();
    place.replaceChildren(this.frame.iframe);
  }

  unmount() {
    this.frame?.remove();
    this.frame = null;
  }

  destroy() {
    this.unmount();
    this.#destroyed = true;
    this.onDestroy();
  }

  focus() {
    this.frame?.iframe.focus();
    this.frame?.tell("focus");
  }

  blur() {
    this.frame?.tell("blur");
  }

  clear() {
    this.frame?.tell("clear");
  }

  /**
   * What every frame tells.
   *
   * @param {string} type
   * @param {any} detail
   */
  heard(type, detail) {
    if (type === "height") {
      if (this.frame !== null) this.frame.iframe.style.height = `${detail}px`;
    } else {
      this.emit(type, { elementType: this.elementType, ...detail });
    }
  }
}
