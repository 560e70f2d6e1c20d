// Payment in the shop's own page: mounts the enabler's components and asks the shop's server to
// place the order once they say that it is paid. The server looks for itself.

const page = document.getElementById("pay");
const { bundle, processor, session, locale } = page.dataset;
const progress = document.getElementById("progress");
const trouble = document.getElementById("trouble");
const store = document.getElementById("store");
let enabler;
/** What is said once money has moved. */
let paid = "";

function tell(text) {
  progress.textContent = text;
  progress.hidden = !text;
}

function fail(text) {
  tell("");
  // The enabler's box says what went wrong where it is there.
  const said = document.querySelector("#element [role=alert]:not(:empty)");
  trouble.firstElementChild.textContent = said && !paid ? "" : text;
  trouble.hidden = false;
}

async function begin() {
  trouble.hidden = true;
  tell("returned" in page.dataset ? "Looking at your payment…" : "Loading the ways to pay…");
  try {
    const { Enabler } = await import(bundle);
    enabler ??= new Enabler({
      processorUrl: processor,
      sessionId: session,
      locale,
      onComplete: completed,
      onError: failed,
    });
    const builder = await enabler.createDropinBuilder("embedded");
    await builder.build({ showPayButton: true, onChange: chosen }).mount("#element");
    tell("");
    if (store) await showStored();
  } catch (error) {
    fail(error.shopperMessage || "The ways to pay could not be loaded. Nothing was charged.");
  }
}

// Only cards are kept: over another method the question keeps its place and is not asked.
let keepable = true;
function chosen({ type }) {
  if (!store) return;
  keepable = !type || type === "card";
  document.getElementById("consent").classList.toggle("unasked", !keepable);
  agree();
}

function agree() {
  enabler.setStorePaymentDetails(store.checked && keepable);
}

function completed(result) {
  if (!result.isSuccess) return;
  paid = result.state === "pending" ? "Your bank is working on the payment." : "You have paid.";
  place();
}

// The money has moved: from here on there is nothing to pay, only to place the order.
async function place() {
  trouble.hidden = true;
  tell(`${paid} Placing your order…`);
  try {
    const answer = await fetch("/checkout/placed", { method: "POST" });
    if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
    location.assign(answer.url);
  } catch {
    fail(`${paid} The order is not placed yet, because the shop cannot be reached. Try again: nothing is paid twice.`);
  }
}

// The basket was changed elsewhere: the page shows it as it is now, beside the new amount.
async function failed(error) {
  if (error.code !== "amount_changed") return;
  const answer = await fetch("/checkout/review");
  const review = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["lines", "sum"]) {
    const now = review.getElementById(id);
    if (now) document.getElementById(id).replaceWith(now);
  }
}

async function showStored() {
  if (!(await enabler.isStoredPaymentMethodsEnabled())) return;
  document.getElementById("consent").hidden = false;
  store.onchange = agree;
  agree();
  const { storedPaymentMethods } = await enabler.getStoredPaymentMethods({
    allowedMethodTypes: ["card"],
  });
  const builder = await enabler.createStoredPaymentMethodBuilder("card");
  const section = document.getElementById("stored");
  const list = section.querySelector("ul");
  list.replaceChildren();
  section.hidden = storedPaymentMethods.length === 0;
  name(section.hidden);
  await Promise.all(storedPaymentMethods.map((method) => showMethod(builder, list, method)));
}

function name(alone) {
  document.getElementById("element-heading").textContent = alone ? "Payment details" : "Another way";
}

async function showMethod(builder, list, method) {
  const item = document.createElement("li");
  const place = document.createElement("div");
  place.id = `stored-${method.id}`;
  const remove = document.createElement("button");
  remove.className = "quiet";
  remove.type = "button";
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove the card ending in ${method.displayOptions.endDigits}`);
  item.append(place, remove);
  list.append(item);
  const component = builder.build({ id: method.id, showPayButton: true });
  remove.onclick = async () => {
    try {
      await component.remove();
    } catch {
      return; // the component says why
    }
    item.remove();
    const section = document.getElementById("stored");
    section.hidden = list.children.length === 0;
    name(section.hidden);
    const next = section.hidden ? document.getElementById("element-heading") : list;
    next.tabIndex = -1;
    next.focus();
  };
  // What goes wrong is said where the card would be.
  await component.mount(`#${place.id}`).catch(() => undefined);
}

trouble.querySelector("button").onclick = () => (paid ? place() : begin());
begin();
