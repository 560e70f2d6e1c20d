// Payment in the shop's own page: stored cards and the enabler's drop-in as one list with one
// button. The shop's server is asked to place the order once the enabler says that it is paid,
// and looks for itself.

const page = document.getElementById("pay");
const { bundle, processor, session, locale } = page.dataset;
const texts = JSON.parse(page.dataset.texts);
const ways = document.getElementById("ways");
const list = document.getElementById("stored");
const another = document.getElementById("another");
const element = document.getElementById("element");
const button = document.getElementById("pay-button");
const progress = document.getElementById("progress");
const trouble = document.getElementById("trouble");
const store = document.getElementById("store");
const SLOW_MS = 8_000;

/** Whether the shopper has come back from a bank, so that money may have moved. */
const returned = "returned" in page.dataset;
let enabler;
/** What can be chosen: { component, radio, panel, place, mounting }. */
let choices = [];
let chosen;
/** `loading`, `pay`, `checking`, `success` or `pending`; only `pay` can be pressed. */
let state = "loading";
/** What is said once money has moved. */
let paid = "";
let slow;

function fill(text, value) {
  return text.replace("{}", () => value);
}

function show(next) {
  state = next;
  const label = texts[next] ?? texts.pay;
  button.textContent = fill(label, document.getElementById("bill").dataset.due);
  // Not `disabled`: that would take the focus away from who has just pressed it.
  button.setAttribute("aria-disabled", String(next !== "pay"));
  ways.setAttribute("aria-busy", String(next === "loading" || next === "checking"));
}

/** Say what happens, and after a while that it takes long. */
function tell(text, later = "") {
  clearTimeout(slow);
  progress.textContent = text;
  if (later) slow = setTimeout(() => (progress.textContent = later), SLOW_MS);
}

function fail(text) {
  tell("");
  // The enabler's box says what went wrong where it is there.
  const said = document.querySelector("#ways [role=alert]:not(:empty)");
  trouble.firstElementChild.textContent = said && !paid ? "" : text;
  trouble.hidden = false;
}

async function begin() {
  trouble.hidden = true;
  show("loading");
  if (returned) tell(texts.looking, texts.slowPayment);
  else tell(texts.loadingWays, texts.slowLoading);
  try {
    const { Enabler } = await import(bundle);
    enabler ??= new Enabler({
      processorUrl: processor,
      sessionId: session,
      locale,
      onComplete: completed,
      onError: failed,
    });
    const dropin = await enabler.createDropinBuilder("embedded");
    const stored = await storedCards();
    list.replaceChildren(...stored.map(({ row }) => row));
    choices = [
      ...stored,
      {
        component: dropin.build({ onChange: changed }),
        row: another,
        radio: document.getElementById("way-another"),
        panel: another.querySelector(".way-panel"),
        place: "#element",
      },
    ];
    for (const way of choices) way.radio.onchange = () => void choose(way);
    alone();
    await choose(choices[0]);
  } catch (error) {
    fail(error.shopperMessage || (returned ? texts.unknown : texts.unloaded));
  }
}

/** With a single way to pay there is nothing to choose from. */
function alone() {
  another.querySelector(".way-row").hidden = choices.length === 1;
}

/** Show a way to pay, and mount it if it has not been chosen before. */
async function choose(way) {
  if (state !== "pay" && state !== "loading") {
    chosen.radio.checked = true; // one is being paid with
    return;
  }
  chosen = way;
  way.radio.checked = true;
  for (const each of choices) each.panel.hidden = each !== way;
  agree();
  show("loading");
  try {
    way.mounting ??= way.component.mount(way.place);
    await way.mounting;
    if (way.place === "#element") element.classList.remove("loading");
  } catch (error) {
    way.mounting = undefined;
    if (chosen === way) fail(error.shopperMessage || texts.unloaded);
    return;
  }
  if (chosen !== way || state !== "loading") return;
  trouble.hidden = true;
  tell("");
  show("pay");
}

// Only cards are kept: over another method the question keeps its place and is not asked.
let keepable = true;
function changed({ type }) {
  keepable = !type || type === "card";
  document.getElementById("consent")?.classList.toggle("unasked", !keepable);
  agree();
}

function agree() {
  if (!store) return;
  enabler.setStorePaymentDetails(store.checked && keepable && chosen?.place === "#element");
}

button.onclick = async () => {
  if (state !== "pay") return;
  trouble.hidden = true;
  show("checking");
  tell("", texts.slowPayment);
  await chosen.component.submit();
  if (state !== "checking") return;
  tell("");
  show("pay");
};

function completed(result) {
  if (!result.isSuccess) return;
  show(result.state);
  paid = result.state === "pending" ? texts.bankWorks : texts.youPaid;
  place();
}

// The money has moved: from here on there is nothing to pay, only to place the order.
async function place() {
  trouble.hidden = true;
  tell(`${paid} ${texts.placing}`, `${paid} ${texts.slowPlacing}`);
  try {
    const answer = await fetch("/checkout/placed", { method: "POST" });
    if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
    location.assign(answer.url);
  } catch {
    fail(`${paid} ${texts.unplaced}`);
  }
}

// The basket was changed elsewhere: the page shows it as it is now, beside the new amount.
async function failed(error) {
  if (error.code !== "amount_changed") return;
  const answer = await fetch("/checkout/bill");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const bill = fresh.getElementById("bill");
  if (bill) document.getElementById("bill").replaceWith(bill);
  // The others have been mounted with the amount from before.
  for (const each of choices) if (each !== chosen) each.mounting = undefined;
  show(state);
}

/** The customer's stored cards, as rows of the list that are mounted when they are chosen. */
async function storedCards() {
  if (!store) return [];
  const enabled = await enabler.isStoredPaymentMethodsEnabled();
  document.getElementById("consent").hidden = !enabled;
  store.onchange = agree;
  if (!enabled) return [];
  const { storedPaymentMethods } = await enabler.getStoredPaymentMethods({
    allowedMethodTypes: ["card"],
  });
  const builder = await enabler.createStoredPaymentMethodBuilder("card");
  return storedPaymentMethods.map((method) => storedCard(builder, method));
}

function storedCard(builder, { id, displayOptions }) {
  const { brand, endDigits, expiryMonth, expiryYear } = displayOptions;
  const name = `${BRANDS[brand?.key] ?? brand?.key ?? texts.card} •••• ${endDigits}`;
  const row = document.getElementById("stored-card").content.firstElementChild.cloneNode(true);
  const [radio, label, remove, panel] = ["input", "label", "button", ".way-panel"].map((each) =>
    row.querySelector(each),
  );
  radio.id = `way-${id}`;
  label.htmlFor = radio.id;
  label.firstElementChild.textContent = name;
  const until = `${String(expiryMonth).padStart(2, "0")}/${expiryYear}`;
  label.lastElementChild.textContent = expiryMonth ? fill(texts.expires, until) : "";
  remove.setAttribute("aria-label", fill(texts.remove, name));
  panel.id = `panel-${id}`;
  const component = builder.build({ id });
  const way = { component, row, radio, panel, place: `#${panel.id}` };
  remove.onclick = () => void forget(way);
  return way;
}

const BRANDS = {
  amex: "American Express",
  cartes_bancaires: "Cartes Bancaires",
  diners: "Diners Club",
  discover: "Discover",
  jcb: "JCB",
  mastercard: "Mastercard",
  unionpay: "UnionPay",
  visa: "Visa",
};

async function forget(way) {
  if (state !== "pay" && state !== "loading") return;
  try {
    await way.component.remove();
  } catch (error) {
    fail(error.shopperMessage);
    return;
  }
  way.row.remove();
  choices = choices.filter((each) => each !== way);
  alone();
  if (chosen === way) void choose(choices[0]);
  tell(texts.removed);
  // The focus was on what is gone.
  if (choices.length > 1) choices[0].radio.focus();
  else ways.focus();
}

trouble.querySelector("button").onclick = () => (paid ? place() : begin());
begin();
