// Signing in again without leaving the page: the server's own forms, second factor included, in a
// dialog. Resolves to the page of the task as the server shows it now, or to null when dismissed.

let running = null;

export function signInAgain(path) {
  running ??= opened(path).finally(() => { running = null; });
  return running;
}

async function opened(path) {
  const dialog = document.createElement("dialog");
  dialog.className = "panel sign-in";
  dialog.setAttribute("aria-labelledby", "sign-in-title");
  dialog.append(document.createRange().createContextualFragment(`<header><h2 id="sign-in-title">Sign in again</h2></header>
<p>Your sign-in has ended. Nothing on this page is lost: it is kept in this browser and saved once you are back.</p>
<div data-form aria-live="polite"></div>
<p><button type="button" class="button quiet" data-later>Not now</button></p>`));
  document.body.append(dialog);
  try {
    return await new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(null));
      dialog.querySelector("[data-later]").addEventListener("click", () => dialog.close());
      dialog.addEventListener("submit", (event) => sent(event, dialog, path, resolve));
      dialog.showModal();
      fetch(`/sign-in?next=${encodeURIComponent(path)}`, { headers: { Accept: "text/html" } })
        .then((answer) => shown(answer, dialog, path, resolve), () => unreached(dialog));
    });
  } finally {
    dialog.remove();
  }
}

async function sent(event, dialog, path, resolve) {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form));
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST", body, headers: { Accept: "text/html" },
    });
    await shown(answer, dialog, path, resolve);
  } catch {
    unreached(dialog);
    for (const button of form.querySelectorAll("button")) button.disabled = false;
  }
}

async function shown(answer, dialog, path, resolve) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const { pathname } = new URL(answer.url);
  if (pathname === path && answer.ok) {
    resolve(page);
    return;
  }
  const place = dialog.querySelector("[data-form]");
  const form = page.querySelector("main form[method=post]");
  if (!form || !pathname.startsWith("/sign-in")) {
    place.textContent = "You are signed in, but this task is not in the hands of that account. "
      + "Sign in as the person who holds it; what you wrote stays in this browser.";
    return;
  }
  form.dataset.to = answer.url;
  const wrong = page.querySelector("main [role=alert]");
  place.replaceChildren(...(wrong ? [wrong] : []), document.adoptNode(form));
  // On the task's page there are fields of the same names; ids are told apart by this one's own.
  for (const each of place.querySelectorAll("[id]")) each.id = `again-${each.id}`;
  for (const each of place.querySelectorAll("[for]")) each.htmlFor = `again-${each.htmlFor}`;
  for (const each of place.querySelectorAll("[aria-describedby]")) {
    const names = each.getAttribute("aria-describedby").trim().split(/\s+/);
    each.setAttribute("aria-describedby", names.map((name) => `again-${name}`).join(" "));
  }
  place.querySelector("input:not([type=hidden])")?.focus();
}

function unreached(dialog) {
  dialog.querySelector("[data-form]").append(
    "The network does not answer. Try again in a moment.");
}
