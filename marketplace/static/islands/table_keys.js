// Finance's tables by keys: j and k go from row to row, Enter opens the first link of the row.
// Links stay links: without this file, Tab and Enter do the same.

const rows = () =>
  [...document.querySelectorAll("main .table tbody tr")].filter((row) => row.querySelector("a[href]"));

const typing = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));

let at = null;

function go(step) {
  const all = rows();
  if (!all.length) return false;
  const now = all.indexOf(at);
  const next = now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step;
  if (next < 0 || next >= all.length) return true;
  at?.classList.remove("at");
  at = all[next];
  at.classList.add("at");
  at.querySelector("a[href]").focus({ preventScroll: true });
  at.scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (document.body.classList.contains("keys-waiting")) return;
  if (event.key === "j" || event.key === "k") {
    if (go(event.key === "j" ? 1 : -1)) event.preventDefault();
  } else if (event.key === "Enter" && at && event.target === document.body) {
    event.preventDefault();
    at.querySelector("a[href]").click();
  }
});

const place = document.querySelector("[data-page-keys]");
if (place && rows().length) {
  for (const [words, keys] of [["Next row, row before", ["J", "K"]], ["Open the row", ["Enter"]]]) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = words;
    for (const key of keys) {
      const shown = document.createElement("kbd");
      shown.textContent = key;
      value.append(shown, " ");
    }
    pair.append(term, value);
    place.append(pair);
  }
}
