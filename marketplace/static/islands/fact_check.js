// <x-fact-check>: claims are selected in the answer, quotations in the sources. Each claim is a row
// of plain fields, which work without this file; here rows are made, found again in the text and
// filled by keys. A row's offsets are code points.

import { keyOf } from "./keys.js";
import { Offsets } from "./text_offsets.js";
import { TextSurface } from "./text_surface.js";

const TONES = { supported: 1, contradicted: 6, unverifiable: 2 };
const WORDS = { supported: "Supported", contradicted: "Contradicted", unverifiable: "Cannot be verified" };
const SHOWN_MAX = 60;

class FactCheck extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    for (const each of this.querySelectorAll("noscript")) each.remove();
    this.list = this.querySelector("[data-claims]");
    this.surface = new TextSurface(this.querySelector("[data-text]"), signal, () => this.moved());
    this.offsets = new Offsets(this.surface.text);
    this.sources = [...this.querySelectorAll("[data-document]")].map((box) => {
      const surface = new TextSurface(box, signal, () => { this.quoted = surface; });
      return surface;
    });
    this.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.addEventListener("change", () => this.draw(), { signal });
    this.addEventListener("focusin", (event) => this.entered(event.target), { signal });
    this.querySelector("[data-tools]").addEventListener("mousedown", (event) => event.preventDefault(), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => this.draw(), { signal });
    this.draw();
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  // --- rows -----------------------------------------------------------------------------------

  rows() {
    return [...this.list.children];
  }

  row(number) {
    return this.rows().find((each) => each.dataset.claimRow === number);
  }

  field(row, name) {
    return row.querySelector(`[name="claims.${row.dataset.claimRow}.${name}"]`);
  }

  // The rows that stand for words of the answer, with their places in UTF-16 units.
  claims() {
    return this.rows().flatMap((row) => {
      const [start, end] = ["start", "end"].map((name) => this.field(row, name)?.value);
      if (!start && !end) return [];
      const verdict = row.querySelector('[name$=".verdict"]:checked')?.value;
      return [{
        id: row.dataset.claimRow, row, verdict,
        start: this.offsets.toUnits(Number(start)), end: this.offsets.toUnits(Number(end)),
      }];
    });
  }

  find(id) {
    return this.claims().find((claim) => claim.id === id);
  }

  claim() {
    const place = this.surface.selection();
    if (!place) { this.say("Select the words of a claim first."); return; }
    const there = this.claims().find(({ start, end }) => start === place.start && end === place.end);
    if (there) { this.choose(there.id); return; }
    const number = String(Math.max(-1, ...this.rows().map((row) => Number(row.dataset.claimRow))) + 1);
    const made = this.querySelector("[data-new]").content.cloneNode(true);
    for (const each of made.querySelectorAll("noscript")) each.remove();
    const row = made.querySelector("[data-claim-row]");
    row.dataset.claimRow = number;
    renumbered(row, /(claims[.-])__/g, `$1${number}`);
    row.querySelector("[data-number]").textContent = String(Number(number) + 1);
    row.querySelector('[role="group"]').setAttribute("aria-label", `Verdict on claim ${Number(number) + 1}`);
    row.querySelector("[data-quoted]").textContent = this.surface.text.slice(place.start, place.end);
    this.field(row, "start").value = this.offsets.toPoints(place.start);
    this.field(row, "end").value = this.offsets.toPoints(place.end);
    this.list.append(row);
    this.current = number;
    this.surface.collapse();
    this.changed(row);
    this.say(`Claim: ${this.shown(place)}. Give its verdict with 1, 2 or 3.`);
  }

  remove(row) {
    if (!row || row.dataset.kept !== undefined) { this.say("The lab marked this claim; give its verdict."); return; }
    this.changed(row, () => row.remove());
    this.current = null;
    this.draw();
    this.say("Claim removed.");
  }

  // The form has changed: what saves it hears an input from within.
  changed(row, act = () => {}) {
    act();
    this.draw();
    const heard = row.isConnected ? this.field(row, "start") : this.list.querySelector("input");
    (heard ?? document.querySelector('#judgement [name="fence"]')).dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A verdict on words outside the current claim makes them one, where claims may be added.
  judge(verdict) {
    const [place, current] = [this.surface.selection(), this.find(this.current)];
    const inside = place && current && place.start >= current.start && place.end <= current.end;
    if (place && !inside && this.querySelector("[data-new]")) this.claim();
    const claim = this.find(this.current);
    if (!claim) { this.say("Choose a claim first, or select words and press C."); return; }
    const radio = claim.row.querySelector(`[name$=".verdict"][value="${verdict}"]`);
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    this.draw();
    this.say(`${WORDS[verdict]}: ${this.shown(claim)}.`);
  }

  // --- sources --------------------------------------------------------------------------------

  quote() {
    const claim = this.find(this.current);
    this.quoted?.noticed();
    const place = this.quoted?.selection();
    if (!claim || !place) {
      this.say(claim ? "Select words in a source first." : "Choose a claim first.");
      return;
    }
    const rows = [...claim.row.querySelectorAll("[data-evidence]")];
    const empty = (row) => ["doc_id", "quote", "url"].every((name) => !row.querySelector(`[name$=".${name}"]`).value);
    const into = rows.find((row) => empty(row)) ?? this.addSource(claim.row);
    into.querySelector('[name$=".doc_id"]').value = this.quoted.box.dataset.id;
    const words = into.querySelector('[name$=".quote"]');
    words.value = this.quoted.text.slice(place.start, place.end).replace(/\s+/g, " ");
    words.dispatchEvent(new Event("input", { bubbles: true }));
    this.say(`Quoted for ${this.shown(claim)}: “${words.value.slice(0, SHOWN_MAX)}”.`);
  }

  addSource(row) {
    const rows = [...row.querySelectorAll("[data-evidence]")];
    const made = rows.at(-1).cloneNode(true);
    renumbered(made, /(sources[.-])\d+/g, `$1${rows.length}`);
    for (const field of made.querySelectorAll("input, select, textarea")) field.value = "";
    rows.at(-1).after(made);
    return made;
  }

  // --- what people do -------------------------------------------------------------------------

  moved() {
    if (this.surface.selection()) return;
    const at = this.surface.caret;
    const under = this.claims().filter(({ start, end }) => start <= at && at <= end)
      .sort((one, other) => one.end - one.start - (other.end - other.start))[0];
    if (!under || under.id === this.current) return;
    this.current = under.id;
    this.draw();
  }

  entered(target) {
    const row = target.closest("[data-claim-row]");
    if (!row || row.dataset.claimRow === this.current) return;
    this.current = row.dataset.claimRow;
    this.draw();
  }

  choose(id) {
    const claim = this.find(id);
    this.current = id;
    this.draw();
    this.surface.select(claim.start, claim.end);
    this.say(`${claim.verdict ? WORDS[claim.verdict] : "No verdict yet"}: ${this.shown(claim)}.`);
  }

  step(back) {
    const sorted = this.claims().sort((one, other) => one.start - other.start || other.end - one.end);
    const at = sorted.findIndex(({ id }) => id === this.current);
    const next = at < 0 ? sorted.at(back ? -1 : 0) : sorted[at + (back ? -1 : 1)];
    if (!next) return false;
    this.choose(next.id);
    return true;
  }

  pressed(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const surface = [this.surface, ...this.sources].find(({ box }) => box === event.target);
    if (!surface) return;
    surface.noticed();
    if (!this.pressedInText(event, surface)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  pressedInText(event, surface) {
    const inAnswer = surface === this.surface;
    if (event.key === "Tab") return inAnswer && this.step(event.shiftKey);
    if (inAnswer && (event.key === "Delete" || event.key === "Backspace")) {
      this.remove(this.find(this.current)?.row);
      return true;
    }
    if (event.key === "Enter") {
      const row = this.find(this.current)?.row;
      (row?.querySelector("input[type=radio]:checked") ?? row?.querySelector("input[type=radio]"))?.focus();
      return true;
    }
    const key = keyOf(event);
    const control = key.length === 1 && this.querySelector(`[data-key="${CSS.escape(key)}"]`);
    control?.click?.();
    return Boolean(control);
  }

  clicked(event) {
    const control = event.target.closest("button");
    if (!control) return;
    this.surface.noticed();
    const { act, verdict } = control.dataset;
    const row = control.closest("[data-claim-row]");
    if (verdict) this.judge(verdict);
    else if (act === "claim") this.claim();
    else if (act === "quote") this.quote();
    else if (act === "remove") { this.remove(row); this.surface.box.focus(); }
    else if (act === "source") this.addSource(row).querySelector("select").focus();
  }

  // --- showing --------------------------------------------------------------------------------

  draw() {
    const claims = this.claims();
    this.surface.draw(claims.map(({ id, start, end, verdict }) => ({
      id, start, end, tone: TONES[verdict] ?? 7, words: WORDS[verdict] ?? "No verdict",
      current: id === this.current,
    })));
    const none = this.querySelector("[data-none]");
    if (none) none.hidden = claims.length > 0;
  }

  shown({ start, end }) {
    const words = this.surface.text.slice(start, end);
    return `“${words.length > SHOWN_MAX ? `${words.slice(0, SHOWN_MAX - 1)}…` : words}”`;
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }
}

// Names, ids and what refers to them, with another number.
function renumbered(part, from, to) {
  for (const element of [part, ...part.querySelectorAll("[name], [id], [for], [aria-describedby]")]) {
    for (const name of ["name", "id", "for", "aria-describedby"]) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replace(from, to));
    }
  }
}

customElements.define("x-fact-check", FactCheck);
