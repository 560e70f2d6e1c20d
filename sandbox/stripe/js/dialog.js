const DIALOG_STYLE = `
  dialog { width: min(28rem, calc(100vw - 2rem)); max-height: calc(100dvh - 2rem); padding: 0;
    border: 0; border-radius: 0.75rem; overflow: auto; background: #fff; color: #1c2130;
    box-shadow: 0 1rem 3rem rgb(0 0 0 / 35%); font: 1rem/1.5 system-ui, sans-serif; }
  dialog.night { background: #161922; color: #eceef4; }
  dialog::backdrop { background: rgb(10 12 20 / 60%); }
  header { display: flex; justify-content: flex-end; padding: 0.5rem 0.5rem 0; }
  button { display: grid; place-items: center; width: 2.75rem; height: 2.75rem; border: 0;
    border-radius: 0.5rem; background: none; color: inherit; font: 1.5rem/1 system-ui, sans-serif;
    cursor: pointer; }
  button:focus-visible { outline: 3px solid #6a6bea; outline-offset: -3px; }
  @media (prefers-reduced-motion: no-preference) {
    dialog { animation: appear 160ms ease-out; }
    @keyframes appear { from { opacity: 0; transform: translateY(0.5rem); } }
  }
`;

/**
 * A frame above the shop's page, which can do nothing else meanwhile.
 *
 * It lives in a shadow tree with a constructed stylesheet: neither the shop's styles nor its
 * content security policy have a say in it.
 */
class FrameDialog {
  #host = document.createElement("div");
  #dialog = document.createElement("dialog");

  /**
   * @param {HTMLIFrameElement} iframe
   * @param {{title: string, close: string, night: boolean, onClose: () => void}} options
   *   `onClose` is for the shopper's closing alone.
   */
  constructor(iframe, { title, close, night, onClose }) {
    const style = new CSSStyleSheet();
    style.replaceSync(DIALOG_STYLE);
    const shadow = this.#host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [style];
    const header = document.createElement("header");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "×";
    button.setAttribute("aria-label", close);
    button.addEventListener("click", onClose);
    header.append(button);
    this.#dialog.setAttribute("aria-label", title);
    this.#dialog.classList.toggle("night", night);
    this.#dialog.append(header, iframe);
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      onClose();
    });
    shadow.append(this.#dialog);
    document.body.append(this.#host);
    this.#dialog.showModal();
    iframe.focus();
  }

  /** Take it away; the focus goes back to where it was. */
  close() {
    this.#dialog.close();
    this.#host.remove();
  }
}
