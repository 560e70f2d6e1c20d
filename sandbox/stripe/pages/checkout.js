// The page works without this script; with it, it is more comfortable.
"use strict";

const form = document.querySelector("form[data-checkout]");
const button = form?.querySelector("button[type=submit]");

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
function choose() {
  for (const panel of form.querySelectorAll("[data-panel]")) {
    const chosen = form.querySelector(`#method-${panel.dataset.panel}`).checked;
    for (const input of panel.querySelectorAll("input")) input.disabled = !chosen;
  }
}

// One submission is enough; the server would lead a second one to where the first one led.
function wait() {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  button.textContent = button.dataset.busy;
}

if (form) {
  const field = (name) => form.querySelector(`#${name}`);
  if (field("number")) groups(field("number"), 4);
  if (field("expiry")) expiry(field("expiry"));
  if (field("cvc")) digits(field("cvc"));
  for (const radio of form.querySelectorAll("[name=method]")) radio.addEventListener("change", choose);
  choose();
  for (const code of form.querySelectorAll("[data-card]")) {
    const use = document.createElement("button");
    use.type = "button";
    use.className = "link";
    use.append(code.cloneNode(true));
    use.setAttribute("aria-label", `Use test card ${code.textContent}`);
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
    if (form.reportValidity()) wait();
    else event.preventDefault();
  });
  // Back from the shop or the bank: the browser may show the page as it was left.
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  document.querySelector("[data-focus]")?.focus();
}

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
