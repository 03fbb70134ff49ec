// Rows that are answered one after another: the current one is marked, J and K (or the arrows up
// and down) move, and digits choose within it. A type's island extends this and adds its letters.

import { keyOf, typing } from "./keys.js";

export class Rows extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    // Before the workbench, which leaves alone what was handled here.
    document.addEventListener("keydown", (event) => this.pressed(event), { signal, capture: true });
    this.addEventListener("focusin", (event) => this.point(event.target.closest("[data-row]")), { signal });
    this.addEventListener("input", (event) => this.changed(event), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => this.changed(), { signal });
    this.point(this.rows()[0]);
    this.changed();
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  rows() {
    return [...this.querySelectorAll("[data-row]")];
  }

  get current() {
    return this.querySelector("[data-row][data-current]");
  }

  point(row) {
    if (!row || row.hasAttribute("data-current")) return;
    this.current?.removeAttribute("data-current");
    row.setAttribute("data-current", "");
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const key = keyOf(event);
    // Arrows belong to the radio button that has the focus.
    const moves = event.target.matches?.("input[type=radio]") ? [] : ["arrowdown", "arrowup"];
    const step = { j: 1, k: -1, [moves[0]]: 1, [moves[1]]: -1 }[key];
    const done = step ? this.move(step) : /^[0-9]$/.test(key) ? this.choose(Number(key)) : this.act(key);
    if (done) event.preventDefault();
  }

  // Letters of the type; true where one was meant.
  act() {
    return false;
  }

  // What the type shows anew after a change of any field.
  changed() {}

  move(step) {
    const rows = this.rows();
    const row = rows[rows.indexOf(this.current) + step];
    if (row) this.enter(row);
    return true;
  }

  enter(row) {
    this.point(row);
    const control = row.querySelector("input[type=radio]:checked") ?? row.querySelector("input:not([type=hidden]), textarea");
    if (typing(control)) {
      row.tabIndex = -1;
      row.focus({ preventScroll: true });
    } else control?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  // The radio button that a digit means: on a scale the score itself, else the nth of the row. The
  // row is left once it has no other field.
  choose(number) {
    const row = this.current;
    const radios = [...row?.querySelectorAll("input[type=radio]") ?? []];
    const scores = radios.filter((each) => each.value === String(Number.parseInt(each.closest("label")?.textContent, 10)));
    const radio = scores.length ? scores.find((each) => each.value === String(number)) : radios[number - 1];
    if (!radio) return false;
    radio.click();
    radio.focus({ preventScroll: true });
    if (row.dataset.row === "one") this.move(1);
    return true;
  }

  // A radio button of the current row by the end of its name and its value.
  pick(ending, value) {
    const radio = this.current?.querySelector(`input[type=radio][name$=".${ending}"][value="${value}"]`);
    if (!radio) return false;
    radio.click();
    radio.focus({ preventScroll: true });
    return true;
  }

  // Sets the field of the current row in which something is written.
  write(selector) {
    const field = this.current?.querySelector(selector);
    field?.focus();
    field?.setSelectionRange?.(field.value.length, field.value.length);
    return Boolean(field);
  }
}
