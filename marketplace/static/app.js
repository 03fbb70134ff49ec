// What every page does beyond its HTML: keys, theme, side panels, copying, and a word when the
// network or the server fails. Without this file every page still works.

const typing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target.tagName === "INPUT" && !/^(checkbox|radio|button|submit|range)$/.test(target.type)));

// --- theme -----------------------------------------------------------------------------------

const root = document.documentElement;

function showTheme() {
  const current = root.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

function chooseTheme(choice) {
  try {
    if (choice === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", choice);
  } catch {
    // A closed storage only means that the choice lasts for this page.
  }
  if (choice === "system") delete root.dataset.theme;
  else root.dataset.theme = choice;
  showTheme();
}

// --- clicks -----------------------------------------------------------------------------------

async function copy(button) {
  const field = document.getElementById(button.dataset.copies);
  const words = button.querySelector("span");
  try {
    // A field holds a value, a block of code only its text.
    await navigator.clipboard.writeText(field.value ?? field.textContent);
    words.textContent = "Copied";
  } catch {
    if (field.select) field.select();
    else getSelection().selectAllChildren(field);
    words.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { words.textContent = "Copy"; }, 2000);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const theme = target?.closest("[data-theme-choice]");
  if (theme) chooseTheme(theme.dataset.themeChoice);
  const opens = target?.closest("[data-opens]");
  if (opens) {
    event.preventDefault();
    document.getElementById(opens.dataset.opens)?.showModal();
  }
  const copies = target?.closest("[data-copies]");
  if (copies) copy(copies);
  if (target instanceof HTMLDialogElement && target.matches(".panel, .keys")) target.close();
  for (const menu of document.querySelectorAll("details.account[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
  else if ("signOut" in (event.target.dataset ?? {})) {
    event.preventDefault();
    signOut(event.target);
  }
});

// Nobody who uses this browser next reads what was typed here; who would lose words is asked first.
async function signOut(form) {
  try {
    const { forgetAll, unsaved } = await import("./islands/mirror.js");
    const question = "An answer that you began is kept in this browser only. Sign out and lose it?";
    if (await unsaved() && !window.confirm(question)) return;
    await forgetAll();
  } catch {
    // Without storage there is nothing to forget.
  }
  form.submit();
}

// --- keys -------------------------------------------------------------------------------------

let waitingToGo = 0;

function stopWaiting() {
  clearTimeout(waitingToGo);
  waitingToGo = 0;
  document.body.classList.remove("keys-waiting");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.account[open]")) menu.open = false;
  }
  if (typing(event.target)) return;
  if (waitingToGo) {
    const link = document.querySelector(`[data-go="${CSS.escape(event.key.toLowerCase())}"]`);
    stopWaiting();
    if (link) { event.preventDefault(); link.click(); }
    return;
  }
  if (event.key === "?") {
    event.preventDefault();
    document.getElementById("keys")?.showModal();
  } else if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  } else if (event.key === "g" && document.querySelector("[data-go]")) {
    document.body.classList.add("keys-waiting");
    waitingToGo = setTimeout(stopWaiting, 1500);
  }
});

// --- when something fails ---------------------------------------------------------------------

function say(words) {
  let box = document.querySelector(".toast");
  if (!box) {
    box = document.createElement("p");
    box.className = "toast";
    box.setAttribute("role", "alert");
    document.body.append(box);
  }
  box.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => box.remove(), 8000);
}

document.addEventListener("htmx:sendError", () =>
  say("The network did not answer. Nothing was lost; try again in a moment."));
document.addEventListener("htmx:responseError", () =>
  say("The server could not do that. We have been told; your work on this page is kept."));

// A newcomer's zone, so that times are theirs from the first page on.
const ownZone = document.querySelector("[data-own-zone]");
if (ownZone) ownZone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

if (document.body.classList.contains("audience-finance")) import("./islands/table_keys.js");

showTheme();
document.querySelector("[data-focus]")?.focus();
