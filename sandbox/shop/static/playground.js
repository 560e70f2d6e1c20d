// The playground: builds what was chosen, passes calls on, and writes down what comes back.

const root = document.getElementById("playground");
const stage = document.getElementById("stage");
const calls = document.getElementById("calls");
const log = document.getElementById("log");
const options = document.getElementById("options");
const { bundle, processor } = root.dataset;
let chosen = {};
let cart;
let component;

function write(name, value) {
  const entry = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = name;
  entry.append(strong, value === undefined ? "" : ` ${readable(value)}`);
  if (!log.querySelector("strong")) log.replaceChildren();
  log.append(entry);
  log.scrollTop = log.scrollHeight;
}

function readable(value) {
  if (value instanceof Error) {
    const { code, hint, declineCode, paymentReference, correlationId, shopperMessage } = value;
    const details = { code, hint, declineCode, paymentReference, correlationId, shopperMessage };
    return `${value.name}: ${value.message} ${JSON.stringify(details)}`;
  }
  return JSON.stringify(value, (_, each) => (each instanceof Error ? readable(each) : each));
}

async function ask(path, body) {
  const answer = await fetch(`/playground/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

// What the processor is configured with, as if it were configured otherwise.
const realFetch = window.fetch;
window.fetch = async (input, init) => {
  const answer = await realFetch(input, init);
  if (!String(input).startsWith(`${processor}/config-element/`) || !answer.ok) return answer;
  const config = await answer.json();
  if (chosen.theme) config.appearance = JSON.stringify({ theme: chosen.theme });
  if (chosen.layout) config.layout = JSON.stringify({ type: chosen.layout });
  return Response.json(config);
};

async function build(enabler) {
  const showPayButton = chosen.showPayButton === "on";
  const onPayButtonClick = async () => write("onPayButtonClick");
  switch (chosen.component) {
    case "dropin": {
      const onDropinReady = async () => write("onDropinReady");
      const builder = await enabler.createDropinBuilder("embedded");
      write("dropinHasSubmit", builder.dropinHasSubmit);
      return builder.build({ showPayButton, onPayButtonClick, onDropinReady });
    }
    case "express": {
      const builder = await enabler.createExpressBuilder("dropin");
      return builder.build({
        initialAmount: cart.amount,
        onPayButtonClick: async () => {
          write("onPayButtonClick");
          return { sessionId: cart.sessionId };
        },
        onShippingAddressSelected: async (selected) => write("onShippingAddressSelected", selected),
        getShippingMethods: async (selected) => {
          write("getShippingMethods", selected);
          const amount = { ...cart.amount, centAmount: 0 };
          return [{ id: "free", name: "Free delivery", amount }];
        },
        onShippingMethodSelected: async (selected) => write("onShippingMethodSelected", selected),
        onPaymentSubmit: async (addresses) => write("onPaymentSubmit", addresses),
      });
    }
    case "stored": {
      const found = await enabler.getStoredPaymentMethods({ allowedMethodTypes: ["card"] });
      write("getStoredPaymentMethods", found);
      const [first] = found.storedPaymentMethods;
      if (!first) throw new Error("There is none: keep one first, with a customer's cart.");
      const builder = await enabler.createStoredPaymentMethodBuilder("card");
      return builder.build({ id: first.id, showPayButton, onPayButtonClick });
    }
    default: {
      const builder = await enabler.createComponentBuilder(chosen.component);
      write("componentHasSubmit", builder.componentHasSubmit);
      return builder.build({ showPayButton, onPayButtonClick });
    }
  }
}

options.addEventListener("submit", async (event) => {
  event.preventDefault();
  chosen = Object.fromEntries(new FormData(options));
  component = undefined;
  calls.hidden = true;
  options.setAttribute("aria-busy", "true");
  const place = document.createElement("div");
  place.id = "mounted";
  stage.replaceChildren(place);
  try {
    const { Enabler } = await import(bundle);
    cart = await ask("carts", { country: chosen.country, customer: chosen.customer === "on" });
    write("new cart", cart);
    const enabler = new Enabler({
      processorUrl: processor,
      ...(chosen.component !== "express" && { sessionId: cart.sessionId }),
      locale: chosen.locale,
      onComplete: (result) => write("onComplete", result),
      onError: (error, context) => write("onError", [error, context]),
      onActionRequired: async () => write("onActionRequired"),
    });
    enabler.setStorePaymentDetails(chosen.keep === "on");
    component = await build(enabler);
    await component.mount("#mounted");
    write("mounted", chosen.component);
    for (const button of calls.querySelectorAll("[data-call]")) {
      button.hidden = !(button.dataset.call in component);
    }
    calls.hidden = false;
  } catch (error) {
    write("error", error);
    if (!place.hasChildNodes()) place.textContent = "This could not be mounted; see the log.";
  } finally {
    options.removeAttribute("aria-busy");
  }
});

calls.addEventListener("click", async ({ target }) => {
  const { call } = target.dataset;
  try {
    if (target.id === "more") {
      cart = { ...cart, ...(await ask("more", { cartId: cart.cartId })) };
      write("the cart costs", cart.amount);
    } else if (call) {
      write(`${call}()`, await component[call]());
    }
  } catch (error) {
    write("error", error);
  }
});
