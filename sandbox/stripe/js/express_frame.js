const walletButton = /** @type {HTMLButtonElement} */ (byId("pay"));

/** @param {{locale: string, appearance: object, height: number, hidden: boolean}} detail */
function showButton({ locale, appearance, height, hidden }) {
  const texts = new Texts(locale);
  document.documentElement.lang = texts.language;
  dress(appearance);
  walletButton.textContent = texts.say("payWith");
  walletButton.style.minHeight = `${height}px`;
  walletButton.hidden = hidden;
}

const expressPort = new ShopPort({
  init: (detail) => {
    showButton(detail);
    expressPort.tell("ready");
  },
  update: showButton,
  idle: () => {
    walletButton.disabled = false;
  },
  focus: () => walletButton.focus(),
  blur: () => walletButton.blur(),
});
expressPort.followHeight();
walletButton.addEventListener("click", () => {
  walletButton.disabled = true; // until the shop has answered
  expressPort.tell("press");
});
