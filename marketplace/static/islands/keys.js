// Keys by where they lie on the keyboard, as this person has them.
//
// A control's `data-key` names a key as a US keyboard writes it. `keyOf(event)` answers with that
// name whatever letter the person's own layout prints there, and wherever they have moved it to:
// islands compare with their defaults and need to know neither. `labelOf(key)` is what to show.

const PLACES = new Map([
  ["Minus", "-"], ["Equal", "="], ["BracketLeft", "["], ["BracketRight", "]"], ["Backslash", "\\"],
  ["Semicolon", ";"], ["Quote", "'"], ["Comma", ","], ["Period", "."], ["Slash", "/"],
  ["Backquote", "`"], ["Space", " "], ["Enter", "enter"], ["NumpadEnter", "enter"],
  ["NumpadAdd", "+"], ["NumpadSubtract", "-"],
]);
for (const letter of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") PLACES.set(`Key${letter}`, letter.toLowerCase());
for (const digit of "0123456789") {
  PLACES.set(`Digit${digit}`, digit);
  PLACES.set(`Numpad${digit}`, digit);
}
const CODES = new Map([...PLACES].reverse().map(([code, key]) => [key, code]));

let layout = null;
// Resolves once the labels are known; where the browser does not tell, they are those of a US one.
export const labelsKnown = (async () => {
  try {
    layout = await navigator.keyboard?.getLayoutMap();
  } catch {
    layout = null;
  }
})();

let readFrom = null;
let moved = {};
let back = {};

// What this person has moved: default key → key, as the page carries it.
function places() {
  const text = document.querySelector("[data-keymap]")?.dataset.keymap ?? "{}";
  if (text !== readFrom) {
    readFrom = text;
    moved = JSON.parse(text);
    back = Object.fromEntries(Object.entries(moved).map(([from, to]) => [to, from]));
  }
  return { moved, back };
}

// The default key of what was pressed: "a", "1", "enter", "arrowup"; "" where a person has moved
// it away. Modifiers are the caller's matter.
export function keyOf(event) {
  const place = PLACES.get(event.code) ?? event.key.toLowerCase();
  const { moved: from, back: to } = places();
  if (Object.hasOwn(to, place)) return to[place];
  return Object.hasOwn(from, place) ? "" : place;
}

// How this person's keyboard writes the key that does what `key` does by default.
export function labelOf(key) {
  const place = places().moved[key] ?? key;
  const written = layout?.get(CODES.get(place) ?? "") ?? place;
  return written.length === 1 ? written.toUpperCase() : written[0].toUpperCase() + written.slice(1);
}

// Whether keys belong to what has the focus, since it takes text. Text that is editable only so
// that it has a caret says that it is read-only.
export const typing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable && !target.closest("[aria-readonly=true]") || target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=hidden], [type=button], [type=submit], [type=range])"));
