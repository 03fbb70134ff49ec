// <x-text-marks>: spans of a text and relations between them, by pointer, finger and keyboard.
// What is marked stands as JSON in one field of the form, in code points; without this file the
// form has rows to type spans in. Keys come from the controls' data-key.

import { keyOf } from "./keys.js";
import { Offsets } from "./text_offsets.js";
import { TextSurface } from "./text_surface.js";
import { drawRelations, drawSpans } from "./text_lists.js";

const UNDO_MAX = 100;
const SHOWN_MAX = 60;
const shortened = (words) =>
  words.length > SHOWN_MAX ? `${words.slice(0, SHOWN_MAX - 1)}…` : words;

class TextMarks extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.config = JSON.parse(this.dataset.config);
    this.querySelector("noscript")?.remove();
    this.store = this.querySelector("[data-store]");
    this.store.disabled = false;
    this.surface = new TextSurface(this.querySelector("[data-text]"), signal, () => this.moved());
    this.offsets = new Offsets(this.surface.text);
    this.tones = new Map(this.config.labels.map(({ name }, at) => [name, at % 8]));
    this.past = [];
    this.read();
    this.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.addEventListener("input", (event) => this.edited(event), { signal });
    // A button that took the focus would take the selection with it.
    this.querySelector("[data-tools]").addEventListener("mousedown", (event) => event.preventDefault(), { signal });
    this.surface.box.addEventListener("pointerup", () => setTimeout(() => this.released()), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => { this.read(); this.draw(); }, { signal });
    document.addEventListener("click", (event) => this.faultFollowed(event), { signal });
    this.draw();
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  // --- what is marked -------------------------------------------------------------------------

  read() {
    let kept = {};
    try {
      kept = JSON.parse(this.store.value || "{}");
    } catch {
      // A draft that cannot be read is an empty one.
    }
    this.spans = (kept.spans ?? []).map((span) => ({
      ...span, start: this.offsets.toUnits(span.start), end: this.offsets.toUnits(span.end),
    }));
    this.relations = kept.relations ?? [];
    this.current = null;
    this.link = null;
  }

  written() {
    const spans = this.spans.map((span) => ({
      ...span,
      start: this.offsets.toPoints(span.start),
      end: this.offsets.toPoints(span.end),
      text: this.surface.text.slice(span.start, span.end),
    }));
    return JSON.stringify({ spans, relations: this.relations });
  }

  // Every change goes through here: it can be taken back, is drawn, told and saved.
  change(act, words) {
    this.past.push(this.store.value);
    if (this.past.length > UNDO_MAX) this.past.shift();
    act();
    this.keep(words);
  }

  keep(words) {
    this.store.value = this.written();
    this.draw();
    this.say(`${words} ${this.counted()}`);
    this.store.dispatchEvent(new Event("input", { bubbles: true }));
  }

  undo() {
    if (!this.past.length) { this.say("Nothing to take back."); return; }
    this.store.value = this.past.pop();
    this.read();
    this.keep("Taken back.");
  }

  counted() {
    return this.spans.length === 1 ? "1 span." : `${this.spans.length} spans.`;
  }

  named(span) {
    return `${span.label}: “${shortened(this.surface.text.slice(span.start, span.end))}”`;
  }

  find(id) {
    return this.spans.find((span) => span.id === id);
  }

  // --- marking --------------------------------------------------------------------------------

  label(name) {
    const chosen = this.find(this.current);
    if (chosen) this.relabel(chosen, name);
    else this.mark(this.surface.selection() ?? this.surface.word(), name);
  }

  mark(place, name) {
    if (!place) {
      this.arm(this.armed === name ? null : name);
      return;
    }
    const refused = this.refusal(place, name);
    if (refused) { this.say(refused); return; }
    let number = this.spans.length + 1;
    while (this.find(`s${number}`)) number += 1;
    const span = { id: `s${number}`, start: place.start, end: place.end, label: name };
    this.change(() => { this.spans.push(span); this.current = span.id; }, `${this.named(span)}.`);
    this.surface.collapse();
  }

  relabel(span, name) {
    if (span.label === name) return;
    const refused = this.refusal(span, name, span.id);
    if (refused) { this.say(refused); return; }
    this.change(() => { span.label = name; delete span.attributes; }, `Now ${this.named(span)}.`);
  }

  // Why a stretch cannot be marked, "" where it can.
  refusal({ start, end }, name, except = null) {
    const over = this.spans.filter((each) => each.id !== except && each.start < end && start < each.end);
    if (over.some((each) => each.start === start && each.end === end && each.label === name)) {
      return "This is marked so already.";
    }
    const crosses = (each) => each.start < start !== end < each.end && each.start !== start && each.end !== end;
    if (this.config.overlap === "none" && over.length) {
      return `It overlaps ${this.named(over[0])}; this job allows no overlap.`;
    }
    const crossed = over.find((each) => crosses(each));
    if (this.config.overlap === "nested" && crossed) {
      return `It crosses ${this.named(crossed)}; one may only stand inside the other.`;
    }
    return "";
  }

  // A label that is held down marks whatever is selected next.
  arm(name) {
    this.armed = name;
    this.say(name ? `Select words to mark them ${name}.` : "");
    this.draw();
  }

  remove(id) {
    const span = this.find(id);
    if (!span) return;
    this.change(() => {
      this.spans = this.spans.filter((each) => each !== span);
      this.relations = this.relations.filter(({ source, target }) => source !== id && target !== id);
      this.current = null;
    }, `Removed ${this.named(span)}.`);
  }

  // --- relations ------------------------------------------------------------------------------

  linkPressed() {
    if (this.link) { this.endLink("No relation made."); return; }
    this.link = { source: this.current };
    this.draw();
    const from = this.find(this.current);
    this.say(from ? `From ${this.named(from)}: choose where it leads, with Tab and Enter.`
      : "Choose where the relation starts, with Tab and Enter.");
    this.surface.box.focus({ preventScroll: true });
  }

  pick(id) {
    const { link } = this;
    if (!link.source) {
      link.source = id;
      this.say(`From ${this.named(this.find(id))}: choose where it leads, with Tab and Enter.`);
    } else if (id !== link.source) {
      link.target = id;
      const types = this.typesFor(this.find(link.source), this.find(id));
      if (!types.length) { this.endLink("No relation leads from the one to the other here."); return; }
      if (types.length === 1) { this.relate(types[0]); return; }
      this.say("Choose the relation.");
    }
    this.draw();
    this.querySelector("[data-type]")?.focus();
  }

  typesFor(source, target) {
    const fits = (pairs, from, to) => pairs.some((pair) => pair.source === from && pair.target === to);
    return this.config.relations.filter(({ pairs = [], directed = true }) =>
      !pairs.length || fits(pairs, source.label, target.label) ||
      (!directed && fits(pairs, target.label, source.label))).map(({ name }) => name);
  }

  relate(type) {
    const { source, target } = this.link;
    const there = this.relations.some((each) => each.type === type && each.source === source && each.target === target);
    this.link = null;
    if (there) { this.endLink("This relation is there already."); return; }
    const words = `${this.named(this.find(source))} ${type} ${this.named(this.find(target))}.`;
    this.change(() => this.relations.push({ source, type, target }), words);
    this.surface.box.focus({ preventScroll: true });
  }

  endLink(words) {
    this.link = null;
    this.draw();
    this.say(words);
  }

  // --- what people do -------------------------------------------------------------------------

  moved() {
    const { selection, caret } = { selection: this.surface.selection(), caret: this.surface.caret };
    const chosen = this.find(this.current);
    const holds = chosen && selection && selection.start === chosen.start && selection.end === chosen.end;
    if (holds) return;
    const under = selection ? null : this.under(caret);
    if ((under?.id ?? null) === this.current) return;
    this.current = under?.id ?? null;
    this.draw();
  }

  // The innermost span at a place.
  under(at) {
    return this.spans.filter(({ start, end }) => start <= at && at <= end)
      .sort((one, other) => one.end - one.start - (other.end - other.start))[0];
  }

  // A pointer or a finger has let go of the text.
  released() {
    if (this.link && this.current) this.pick(this.current);
    else if (this.armed && this.surface.selection()) this.mark(this.surface.selection(), this.armed);
  }

  choose(id) {
    const span = this.find(id);
    this.current = id;
    this.draw();
    this.surface.select(span.start, span.end);
    this.say(`${this.named(span)}.`);
  }

  // The next span in the order of the text; false past the last, where Tab goes on to the page.
  step(back) {
    const sorted = [...this.spans].sort((one, other) => one.start - other.start || other.end - one.end);
    const at = sorted.findIndex(({ id }) => id === this.current);
    const caret = this.surface.caret ?? 0;
    let next = sorted[at + (back ? -1 : 1)];
    if (at < 0) next = back ? sorted.findLast(({ end }) => end <= caret) : sorted.find(({ start }) => start >= caret);
    if (!next) return false;
    this.choose(next.id);
    return true;
  }

  pressed(event) {
    if (event.defaultPrevented || event.altKey) return;
    // The browser tells of a moved selection late; whoever types fast is ahead of it.
    this.surface.noticed();
    const row = event.target.closest?.("[data-span]");
    const inText = event.target === this.surface.box;
    const erases = event.key === "Delete" || event.key === "Backspace";
    if ((event.ctrlKey || event.metaKey) && keyOf(event) === "z" && (inText || row)) this.undo();
    else if (event.ctrlKey || event.metaKey) return;
    else if (event.key === "Escape" && (this.link || this.armed)) { this.armed = null; this.endLink("Stopped."); }
    else if (erases && row && event.target.matches("button")) { this.remove(row.dataset.span); this.surface.box.focus(); }
    else if (!inText || !this.pressedInText(event, erases)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  pressedInText(event, erases) {
    if (event.key === "Tab") return this.step(event.shiftKey);
    if (erases) { this.remove(this.current); return true; }
    if (event.key === "Enter") {
      if (this.link && this.current) this.pick(this.current);
      else this.querySelector(".mark-editor select, .mark-editor input")?.focus();
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
    const { label, act, type, relation } = control.dataset;
    const id = control.closest("[data-span]")?.dataset.span;
    if (label !== undefined) this.label(label);
    else if (type !== undefined) this.relate(type);
    else if (act === "link") this.linkPressed();
    else if (act === "choose") { if (this.link) this.pick(id); else this.choose(id); }
    else if (act === "remove") this.remove(id);
    else if (act === "move") this.moveTo(id);
    else if (act === "evidence") this.offer(this.find(id));
    else if (relation !== undefined) this.unrelate(Number(relation));
  }

  unrelate(at) {
    this.change(() => this.relations.splice(at, 1), "Relation removed.");
  }

  moveTo(id) {
    const span = this.find(id);
    const place = this.surface.selection();
    const refused = place ? this.refusal(place, span.label, id) : "Select the words it should mark first.";
    if (refused) { this.say(refused); return; }
    this.change(() => Object.assign(span, place), `Now ${this.named(span)}.`);
  }

  offer(span) {
    const detail = {
      kind: "span", start: this.offsets.toPoints(span.start), end: this.offsets.toPoints(span.end),
      text: this.surface.text.slice(span.start, span.end), label: this.named(span),
    };
    this.dispatchEvent(new CustomEvent("evidence", { detail, bubbles: true }));
  }

  // A control of the list was filled: what it says belongs to its span.
  edited(event) {
    const { field, attribute } = event.target.dataset;
    const span = this.find(event.target.closest("[data-span]")?.dataset.span);
    if (!span || (!field && !attribute)) return;
    event.stopPropagation();
    const value = event.target.type === "checkbox" ? event.target.checked : event.target.value;
    if (field === "label") { this.relabel(span, value); this.querySelector('[data-field="label"]')?.focus(); return; }
    this.past.push(this.store.value);
    const place = attribute ? (span.attributes ??= {}) : span;
    if (value === "" || (value === false && field)) delete place[attribute ?? field];
    else place[attribute ?? field] = value;
    if (attribute && !Object.keys(place).length) delete span.attributes;
    this.store.value = this.written();
    this.store.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A fault names a span by its number: show it.
  faultFollowed(event) {
    const link = event.target.closest?.('a[href^="#field-spans-"]');
    const span = this.spans[Number(link?.hash.split("-")[2] ?? -1)];
    if (span) { event.preventDefault(); this.choose(span.id); }
  }

  // --- showing --------------------------------------------------------------------------------

  draw() {
    this.surface.draw(this.spans.map((span) => ({
      id: span.id, start: span.start, end: span.end, tone: this.tones.get(span.label) ?? 0,
      words: `${span.negated ? "not " : ""}${span.label}`,
      current: span.id === this.current || span.id === this.link?.source,
    })));
    for (const button of this.querySelectorAll("[data-label]")) {
      button.setAttribute("aria-pressed", String(button.dataset.label === this.armed));
    }
    this.querySelector('[data-act="link"]')?.setAttribute("aria-pressed", String(Boolean(this.link)));
    drawSpans(this);
    drawRelations(this);
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }
}

customElements.define("x-text-marks", TextMarks);
