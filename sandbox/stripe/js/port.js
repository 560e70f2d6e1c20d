/** The shop's page as a frame sees it: a channel that the page hands over once. */
class ShopPort {
  /** @type {MessagePort | null} */
  #port = null;

  /** @param {Record<string, (detail: any) => any>} handlers What the page may ask for. */
  constructor(handlers) {
    /** @param {MessageEvent} event */
    const welcome = (event) => {
      if (event.source !== window.parent || event.data !== "welcome") return;
      window.removeEventListener("message", welcome);
      const port = /** @type {MessagePort} */ (event.ports[0]);
      this.#port = port;
      port.onmessage = async ({ data }) => {
        const value = await handlers[data.type]?.(data.detail);
        if (data.call !== undefined) port.postMessage({ answer: data.call, value });
      };
    };
    window.addEventListener("message", welcome);
    // To any origin, as it holds no data: the page alone knows which frame it has opened.
    window.parent.postMessage("hello", "*");
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.tell("escape");
    });
    window.addEventListener("focus", () => this.tell("focus"));
    window.addEventListener("blur", () => this.tell("blur"));
  }

  /**
   * @param {string} type
   * @param {any} [detail]
   */
  tell(type, detail) {
    this.#port?.postMessage({ type, detail });
  }

  /** Tell the page how much room the content needs. */
  tellHeight() {
    this.tell("height", Math.ceil(document.body.getBoundingClientRect().height));
  }

  /** Tell it whenever that changes. */
  followHeight() {
    new ResizeObserver(() => this.tellHeight()).observe(document.body);
  }
}

/**
 * The shop's theme: the variables that make a difference here.
 *
 * @param {Appearance} appearance
 */
function dress(appearance) {
  const root = document.documentElement;
  root.dataset.theme = appearance.theme ?? "stripe";
  const { variables = {} } = appearance;
  const taken = /** @type {const} */ ({
    "--accent": variables.colorPrimary,
    "--paper": variables.colorBackground,
    "--ink": variables.colorText,
    "--danger": variables.colorDanger,
    "--radius": variables.borderRadius,
    "--font": variables.fontFamily,
    "--text": variables.fontSizeBase,
  });
  for (const [name, value] of Object.entries(taken)) {
    if (value === undefined) root.style.removeProperty(name);
    else root.style.setProperty(name, value);
  }
}

/**
 * An HTML element with attributes and content.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | boolean>} [attributes]
 * @param {...(Node | string)} content
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, attributes = {}, ...content) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...content);
  return node;
}

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}
