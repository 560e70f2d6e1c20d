// Makes the shop quicker, never possible: without this script every form and link works as well.

// A form that leads away is sent once, and says that it is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.busy) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  const button = form.querySelector(".primary, .secondary");
  form.setAttribute("aria-busy", "true");
  button.dataset.label = button.textContent;
  button.textContent = form.dataset.busy;
});

// The way back shows the page as it was left: ready again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll('[aria-busy="true"]')) {
    form.removeAttribute("aria-busy");
    const button = form.querySelector("[data-label]");
    button.textContent = button.dataset.label;
  }
});

// Puts a page in place of this one without losing focus or scroll position.
async function swap(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement && document.activeElement.id;
  document.getElementById("content").replaceWith(page.getElementById("content"));
  document.getElementById("basket-count").replaceWith(page.getElementById("basket-count"));
  document.title = page.title;
  history.replaceState(null, "", answer.url);
  const again = focused && document.getElementById(focused);
  if (again && !again.disabled) again.focus();
  else document.getElementById("content").focus({ preventScroll: true });
  refreshLater();
  document.dispatchEvent(new Event("shop:swapped"));
}

let sending = Promise.resolve();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("swap" in form.dataset)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  // One after the other: each answer shows what the one before has changed.
  sending = sending.then(async () => {
    try {
      await swap(await fetch(form.action, { method: "POST", body }));
    } catch {
      form.submit(); // the browser's own error page tells more
    }
  });
});

// A typed quantity counts once the field is left.
document.addEventListener("change", (event) => {
  if (event.target.matches(".stepper input")) event.target.form.requestSubmit();
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  try {
    await swap(await fetch(link.href));
  } catch {
    location.assign(link.href);
  }
});

// What changes by itself is replaced where it differs. The focus stays where it is, and what says
// how things stand stays the same element, so that screen readers tell what is new, and only that.
function merge(page) {
  const fresh = page.getElementById("content");
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = page.getElementById(part.id);
    if (!now || (now.innerHTML === part.innerHTML && now.className === part.className)) continue;
    const focused = part.contains(document.activeElement) && document.activeElement.id;
    part.className = now.className;
    part.replaceChildren(...now.childNodes);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  document.getElementById("content").dataset.refresh = fresh.dataset.refresh || "";
  document.title = page.title;
}

// A payment that the bank still works on: look again until it is decided.
function refreshLater() {
  const delay = Number(document.getElementById("content").dataset.refresh);
  if (!delay) return;
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href);
      if (answer.ok) merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // offline for a moment
    }
    refreshLater();
  }, delay);
}
refreshLater();

// The menu closes as menus do.
const menu = document.querySelector(".menu");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  if (menu.open && !menu.contains(event.target)) menu.open = false;
});
