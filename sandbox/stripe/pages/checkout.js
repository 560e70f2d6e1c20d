// The page works without this script; with it, it is more comfortable, and it says what has
// happened where the network or the server fails.
"use strict";

const SLOW_MS = 8_000;

function groups(input, size) {
  input.addEventListener("input", () => {
    if (input.selectionStart !== input.value.length) return; // do not move the cursor of an edit
    const digits = input.value.replace(/\D/g, "");
    input.value = (digits.match(new RegExp(`\\d{1,${size}}`, "g")) ?? []).join(" ");
  });
}

function expiry(input) {
  input.addEventListener("input", (event) => {
    if (event.inputType?.startsWith("delete") || input.selectionStart !== input.value.length) return;
    let digits = input.value.replace(/\D/g, "").slice(0, 4);
    if (/^[2-9]/.test(digits)) digits = `0${digits}`.slice(0, 4);
    input.value = digits.length < 2 ? digits : `${digits.slice(0, 2)} / ${digits.slice(2)}`;
  });
}

function digits(input) {
  input.addEventListener("input", () => { input.value = input.value.replace(/\D/g, ""); });
}

// Fields of methods that are not chosen take no part: neither in the checks nor in the request.
function choose(form) {
  for (const panel of form.querySelectorAll("[data-panel]")) {
    const chosen = form.querySelector(`#method-${panel.dataset.panel}`).checked;
    for (const input of panel.querySelectorAll("input")) input.disabled = !chosen;
  }
}

// One submission is enough; the server would lead a second one to where the first one led.
async function pay(form, button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const { checking, done, offline, slow, unknown } = form.dataset;
  const trouble = form.querySelector("[data-trouble]");
  const progress = form.querySelector("[data-progress]");
  const label = [...button.childNodes];
  const late = setTimeout(() => { progress.textContent = slow; }, SLOW_MS);
  const rest = () => {
    clearTimeout(late);
    progress.textContent = "";
    button.replaceChildren(...label);
    for (const name of ["aria-busy", "aria-disabled"]) button.removeAttribute(name);
  };
  const fail = (text) => {
    rest();
    trouble.textContent = text;
    trouble.hidden = false;
    trouble.focus();
  };
  trouble.hidden = true;
  if (!navigator.onLine) {
    fail(offline);
    return;
  }
  // Not `disabled`: that would take the focus away from who has just pressed it.
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  button.textContent = checking;
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.status >= 500) throw new Error(`${answer.status}`);
    if (answer.headers.get("content-type").startsWith("application/json")) {
      const { location: next, paid, whole } = await answer.json();
      clearTimeout(late);
      if (paid) button.textContent = done;
      if (whole) leave(next);
      else location.assign(next);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    rest();
    document.title = page.title;
    document.body.replaceChildren(...page.body.childNodes);
    start();
  } catch {
    fail(unknown);
  }
}

/** To a page that takes the place of the shop's, of which this one is a part. */
function leave(target) {
  const link = document.createElement("a");
  link.href = target;
  link.target = "_top";
  document.body.append(link);
  link.click();
}

function start() {
  const form = document.querySelector("form[data-checkout]");
  if (!form) return;
  const button = form.querySelector("button[type=submit]");
  const field = (name) => form.querySelector(`#${name}`);
  if (field("number")) groups(field("number"), 4);
  if (field("expiry")) expiry(field("expiry"));
  if (field("cvc")) digits(field("cvc"));
  for (const radio of form.querySelectorAll("[name=method]")) {
    radio.addEventListener("change", () => choose(form));
  }
  choose(form);
  for (const code of form.querySelectorAll("[data-card]")) {
    const use = document.createElement("button");
    use.type = "button";
    use.className = "link";
    use.append(code.cloneNode(true));
    use.setAttribute("aria-label", code.dataset.card);
    use.addEventListener("click", () => {
      field("number").value = code.textContent;
      field("expiry").value ||= "12 / 34";
      field("cvc").value ||= "123";
      field("name").value ||= "Ada Lovelace";
      button.focus();
    });
    code.replaceWith(use);
  }
  for (const radio of form.querySelectorAll("[name=shipping_rate]")) {
    radio.addEventListener("change", () => {
      button.querySelector("[data-total]").textContent = radio.dataset.total;
      document.querySelector(".due-amount").textContent = radio.dataset.total;
      document.querySelector(".total dd").textContent = radio.dataset.total;
      document.querySelector("[data-shipping-sum]").textContent = radio.dataset.shipping;
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.reportValidity()) void pay(form, button);
  });
  document.querySelector("[data-focus]")?.focus();
}

start();
// Back from the shop or the bank: the browser may show the page as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("form[data-checkout]")) location.reload();
});

document.querySelector("[data-follow]")?.click();

// Within a shop's page Stripe.js wants to know how things stand: nothing that others may not hear.
if (window.parent !== window) {
  const tell = (message) => window.parent.postMessage(message, "*");
  const told = document.querySelector("[data-tell]");
  if (told) tell({ type: told.dataset.tell });
  document.body.classList.add("framed");
  new ResizeObserver(() => {
    tell({ type: "height", height: Math.ceil(document.body.getBoundingClientRect().height) });
  }).observe(document.body);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tell({ type: "escape" });
  });
}
