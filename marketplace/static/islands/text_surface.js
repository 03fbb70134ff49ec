// A text on which stretches are marked. The text is made editable and every edit is refused: so
// the caret, Shift and arrows, a finger's handles and right-to-left lines are the browser's own.
// All offsets here are UTF-16 units; labels are drawn by the sheet, never part of the text.

import { tidied, wordAt } from "./text_offsets.js";

const LAYERS = 4;
const RUN_MAX = 2000;

export class TextSurface {
  // chosen: called when the selection in the text changes.
  constructor(box, signal, chosen) {
    this.box = box;
    // HTML turns CR LF into LF, and offsets count both.
    this.text = box.dataset.source ? JSON.parse(box.dataset.source) : box.textContent;
    this.chosen = chosen;
    this.lines = [];
    this.marks = [];
    this.makeLines();
    Object.assign(box, { contentEditable: "true", spellcheck: false, tabIndex: 0 });
    for (const [name, value] of Object.entries({
      role: "textbox", "aria-readonly": "true", "aria-multiline": "true", inputmode: "none",
      autocapitalize: "off", autocorrect: "off", translate: "no",
    })) box.setAttribute(name, value);
    for (const name of ["beforeinput", "dragstart", "drop", "paste", "cut"]) {
      box.addEventListener(name, (event) => event.preventDefault(), { signal });
    }
    // What an input method writes cannot be refused, only taken back.
    box.addEventListener("input", (event) => { event.stopPropagation(); this.again(); }, { signal });
    // Who comes back by key finds the caret where it was; a pointer says where it goes itself.
    box.addEventListener("pointerdown", () => { this.pointed = true; }, { signal });
    document.addEventListener("pointerup", () => { this.pointed = false; }, { signal });
    box.addEventListener("focus", () => { if (this.last && !this.pointed) this.setRaw(this.last.anchor, this.last.focus); }, { signal });
    document.addEventListener("selectionchange", () => this.noticed(), { signal });
  }

  // Each line of the text is a block of its own; a long one is made of runs, so that a mark draws
  // only its surroundings anew. `lines` holds what is drawn by itself.
  makeLines() {
    this.lines = [];
    const blocks = [];
    for (let from = 0; from < this.text.length;) {
      const at = this.text.indexOf("\n", from);
      const to = at < 0 ? this.text.length : at + 1;
      const block = document.createElement("div");
      block.className = "line";
      if (to - from <= RUN_MAX) this.addRun(block, from, to);
      for (let start = from; to - from > RUN_MAX && start < to;) {
        const blank = this.text.lastIndexOf(" ", start + RUN_MAX);
        const end = Math.min(to, blank > start ? blank + 1 : start + RUN_MAX);
        this.addRun(block.appendChild(document.createElement("span")), start, end);
        start = end;
      }
      blocks.push(block);
      from = to;
    }
    this.box.replaceChildren(...blocks);
  }

  addRun(element, from, to) {
    element.classList.add("run");
    element.textContent = this.text.slice(from, to);
    this.lines.push({ from, to, element, drawn: "" });
  }

  again() {
    this.makeLines();
    this.draw(this.marks);
  }

  // --- drawing --------------------------------------------------------------------------------

  // marks: [{ id, start, end, tone, words, current }], any order; only lines that change are drawn.
  draw(marks) {
    this.marks = marks;
    const kept = this.hasFocus() ? this.raw() : null;
    const sorted = layered(marks);
    let redrawn = false;
    let first = 0;
    for (const line of this.lines) {
      while (first < sorted.length && sorted[first].reach <= line.from) first += 1;
      const here = [];
      for (let at = first; at < sorted.length && sorted[at].start < line.to; at += 1) {
        if (sorted[at].end > line.from) here.push(sorted[at]);
      }
      const drawn = here.map((each) =>
        [each.id, each.start, each.end, each.layer, each.words, each.current].join("\u0001")).join("\u0002");
      if (drawn === line.drawn) continue;
      line.drawn = drawn;
      line.element.replaceChildren(...this.pieces(line, here));
      redrawn = true;
    }
    if (redrawn && kept) this.setRaw(kept.anchor, kept.focus);
  }

  pieces(line, marks) {
    const cuts = new Set([line.from, line.to]);
    for (const { start, end } of marks) {
      cuts.add(Math.max(start, line.from));
      cuts.add(Math.min(end, line.to));
    }
    const places = [...cuts].sort((one, other) => one - other);
    return places.slice(1).map((to, at) => this.piece(places[at], to, marks));
  }

  piece(from, to, marks) {
    let node = document.createTextNode(this.text.slice(from, to));
    // The inner mark is wrapped first, so that the outer one's label stands before its own.
    for (const mark of marks.filter(({ start, end }) => start <= from && to <= end).reverse()) {
      const span = document.createElement("span");
      span.className = `mark tone-${mark.tone} layer-${Math.min(mark.layer, LAYERS - 1)}`;
      span.classList.toggle("current", mark.current);
      span.dataset.mark = mark.id;
      if (mark.start === from) span.dataset.words = mark.words;
      if (mark.end === to) span.classList.add("ends");
      span.append(node);
      node = span;
    }
    return node;
  }

  // --- places ---------------------------------------------------------------------------------

  hasFocus() {
    return document.activeElement === this.box;
  }

  // The offset of a place in the DOM, null where it is outside of the text.
  offsetOf(node, at) {
    if (!this.box.contains(node)) return null;
    if (node === this.box || node.classList?.contains("line")) {
      const next = node.childNodes[at];
      const first = this.lines.find(({ element }) => next && (next === element || next.contains(element)));
      if (first) return first.from;
      if (node === this.box) return this.text.length;
    }
    const element = (node.nodeType === 1 ? node : node.parentElement).closest(".run");
    const line = element ? this.lines.find((each) => each.element === element)
      : this.lines.findLast((each) => node.contains(each.element));
    if (!line) return null;
    if (!element) return line.to;
    const range = document.createRange();
    range.setStart(element, 0);
    range.setEnd(node, at);
    return Math.min(line.from + range.toString().length, line.to);
  }

  placeOf(offset) {
    const line = this.lines.find((each) => offset < each.to) ?? this.lines.at(-1);
    const texts = document.createTreeWalker(line.element, NodeFilter.SHOW_TEXT);
    let left = offset - line.from;
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (left <= node.length) return [node, left];
      left -= node.length;
    }
    return [line.element, 0];
  }

  raw() {
    const selection = document.getSelection();
    if (!selection.rangeCount) return null;
    const anchor = this.offsetOf(selection.anchorNode, selection.anchorOffset);
    const focus = this.offsetOf(selection.focusNode, selection.focusOffset);
    return anchor === null || focus === null ? null : { anchor, focus };
  }

  setRaw(anchor, focus) {
    document.getSelection().setBaseAndExtent(...this.placeOf(anchor), ...this.placeOf(focus));
  }

  noticed() {
    const found = this.raw();
    if (!found) return;
    const same = this.last && this.last.anchor === found.anchor && this.last.focus === found.focus;
    this.last = found;
    if (!same) this.chosen();
  }

  // What is selected, tidied: { start, end } or null; `caret` says where it ends.
  selection() {
    if (!this.last) return null;
    const { anchor, focus } = this.last;
    return anchor === focus ? null : tidied(this.text, Math.min(anchor, focus), Math.max(anchor, focus));
  }

  get caret() {
    return this.last?.focus ?? null;
  }

  word() {
    return this.caret === null ? null : wordAt(this.text, this.caret);
  }

  // Select a stretch and bring it into view; the keyboard goes on from there.
  select(start, end) {
    this.box.focus({ preventScroll: true });
    this.setRaw(start, end);
    this.last = { anchor: start, focus: end };
    const [node] = this.placeOf(start);
    (node.parentElement ?? node).scrollIntoView({ block: "nearest" });
  }

  collapse() {
    const { caret } = this;
    if (caret === null) return;
    this.setRaw(caret, caret);
    this.last = { anchor: caret, focus: caret };
  }
}

// Marks in the order of the text, each with a layer that no mark it overlaps has, and with how far
// it and those before it reach.
function layered(marks) {
  const sorted = marks.map((each) => ({ ...each }))
    .sort((one, other) => one.start - other.start || other.end - one.end);
  const ends = [];
  let reach = 0;
  for (const mark of sorted) {
    let layer = ends.findIndex((end) => end <= mark.start);
    if (layer < 0) layer = ends.length;
    ends[layer] = mark.end;
    mark.layer = layer;
    reach = Math.max(reach, mark.end);
    mark.reach = reach;
  }
  return sorted;
}
