// Makes the desk quicker and live: without this script every form and link works as well.

const content = () => document.getElementById("content");
const parse = (text) => new DOMParser().parseFromString(text, "text/html");

// What the server last sent for each live region, without what differs on every page.
const sent = new Map();
function plain(region) {
  const copy = region.cloneNode(true);
  for (const key of copy.querySelectorAll('[name="key"]')) key.removeAttribute("value");
  return copy.innerHTML;
}
function remember(root) {
  for (const region of root.querySelectorAll("[data-live-region]")) sent.set(region.id, plain(region));
}

// What is to be confirmed is asked before anything else; Escape is the same as "Not now".
function ask() {
  const dialog = document.querySelector("dialog[open]");
  if (!dialog) return false;
  dialog.close();
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dialog.querySelector("[data-dismiss]").click();
  });
  dialog.showModal();
  return true;
}

// Puts a page in place of this one: after a form was sent or a link was followed.
async function replace(answer, push) {
  const page = parse(await answer.text());
  const focused = document.activeElement && document.activeElement.id;
  content().replaceWith(page.getElementById("content"));
  document.body.dataset.live = page.body.dataset.live || "";
  document.title = page.title;
  if (push && answer.url !== location.href) history.pushState(null, "", answer.url);
  else history.replaceState(null, "", answer.url);
  sent.clear();
  remember(document);
  if (ask()) return;
  const told = document.getElementById("outcome") || document.querySelector('[aria-invalid="true"]');
  const again = told || (focused && document.getElementById(focused));
  if (again && !again.disabled) again.focus();
  else content().focus({ preventScroll: true });
}

async function load(address, options, push) {
  content().setAttribute("aria-busy", "true");
  try {
    await replace(await fetch(address, options), push);
  } finally {
    content().removeAttribute("aria-busy");
  }
}

// A form is sent once, however often it is clicked, and says that it is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // Not form.method: a field may have that name.
  const posts = form.getAttribute("method") === "post";
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  const button = event.submitter;
  const fields = new URLSearchParams(new FormData(form, button));
  if (posts) {
    form.setAttribute("aria-busy", "true");
    if (button && form.dataset.busy) button.textContent = form.dataset.busy;
  }
  if (!("swap" in form.dataset)) return;
  event.preventDefault();
  const address = form.getAttribute("action");
  const going =
    posts
      ? load(address, { method: "POST", body: fields }, true)
      : load(`${address}?${fields}`, {}, true);
  going.catch(() => {
    form.removeAttribute("aria-busy");
    // The browser's own error page tells more; the key makes it the same operation.
    delete form.dataset.swap;
    form.requestSubmit(button);
  });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  load(link.href, {}, true).catch(() => location.assign(link.href));
});

// A chosen state is shown at once.
document.addEventListener("change", (event) => {
  if (event.target.matches(".filter select")) event.target.form.requestSubmit();
});

ask();
window.addEventListener("popstate", () => load(location.href, {}, false).catch(() => location.reload()));
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Live updates: parts that have changed are replaced; focus and what was typed stay.

function carry(old, fresh) {
  for (const field of old.querySelectorAll("input, select, textarea")) {
    if (field.name === "key") {
      const form = field.form && field.form.id;
      const same = form && fresh.querySelector(`#${form} [name="key"]`);
      if (same) same.value = field.value;
      continue;
    }
    const same = field.id && fresh.querySelector(`#${CSS.escape(field.id)}`);
    if (!same || field.type === "hidden") continue;
    if (field.type === "checkbox") same.checked = field.checked;
    else if (field.tagName === "SELECT") same.value = field.value;
    else if (field.value !== field.defaultValue || field === document.activeElement) same.value = field.value;
  }
  for (const open of old.querySelectorAll("details[open][id]")) {
    const same = fresh.querySelector(`#${open.id}`);
    if (same) same.open = true;
  }
}

function merge(page) {
  for (const old of document.querySelectorAll("[data-live-region]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || old.querySelector('[aria-busy="true"]')) continue;
    const now = plain(fresh);
    if (now === sent.get(old.id)) continue;
    carry(old, fresh);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const id = focused && focused.id;
    const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
    old.replaceWith(fresh);
    sent.set(fresh.id, now);
    const again = id && document.getElementById(id);
    if (again) {
      again.focus({ preventScroll: true });
      if (selection && selection[0] !== null) again.setSelectionRange(...selection);
    } else if (focused) {
      content().focus({ preventScroll: true });
    }
  }
}

let looking = false;
let stale = false;
async function look() {
  stale = true;
  if (looking) return;
  looking = true;
  try {
    while (stale) {
      stale = false;
      const address = location.href;
      const answer = await fetch(address);
      const page = parse(await answer.text());
      if (answer.ok && address === location.href) {
        merge(page);
        document.title = page.title;
      }
    }
  } catch {
    // away for a moment: the stream comes back with "hello"
  } finally {
    looking = false;
  }
}

if ("live" in document.body.dataset) {
  remember(document);
  const state = document.getElementById("live-state");
  const stream = new EventSource("/desk/live");
  stream.onopen = () => (state.hidden = false);
  stream.onerror = () => (state.hidden = true);
  const wanted = (topic) => document.body.dataset.live.split(" ").includes(topic);
  stream.addEventListener("hello", () => document.body.dataset.live && look());
  for (const topic of ["payments", "events", "faults"]) {
    stream.addEventListener(topic, () => wanted(topic) && look());
  }
  window.addEventListener("pagehide", () => stream.close());
}
