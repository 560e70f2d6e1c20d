/**
 * Show the bank's question above the shop's page until it is answered or closed.
 *
 * @param {string} url Of the stand-in's challenge page.
 * @param {{title: string, close: string}} labels
 * @returns {Promise<"answered" | "closed">}
 */
function challenge(url, labels) {
  const iframe = document.createElement("iframe");
  iframe.src = url;
  iframe.title = labels.title;
  iframe.style.cssText = "display: block; width: 100%; height: 26rem; border: 0;";
  return new Promise((resolve) => {
    /** @param {"answered" | "closed"} outcome */
    const finish = (outcome) => {
      window.removeEventListener("message", listen);
      dialog.close();
      resolve(outcome);
    };
    const { origin } = new URL(url);
    /** @param {MessageEvent} event */
    const listen = (event) => {
      if (event.source !== iframe.contentWindow || event.origin !== origin) return;
      if (event.data?.type === "height") iframe.style.height = `${Number(event.data.height)}px`;
      if (event.data?.type === "answered") finish("answered");
      if (event.data?.type === "escape") finish("closed");
    };
    window.addEventListener("message", listen);
    const night = matchMedia("(prefers-color-scheme: dark)").matches;
    const dialog = new FrameDialog(iframe, { ...labels, night, onClose: () => finish("closed") });
  });
}
