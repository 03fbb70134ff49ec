// <x-trajectory>: a run of thousands of steps as one list that scrolls, with an outline, search
// and keys. The server renders the first steps; the others come in pieces meanwhile. What was
// judged stands in one short field of the form, so a draft stays small however long the run is.
// Without this file the run is shown in pages, with fields for each step.

import { keyOf, typing } from "./keys.js";
import { read, RIGHT, stateOf, write, WRONG } from "./trace_marks.js";
import { ask, controls, kept, stencil } from "./trace_steps.js";
import { Outline } from "./trace_outline.js";
import { VirtualList } from "./virtual.js";

const PIECE = 100;
const UNSEEN = 160; // Pixels that a step takes which nobody has drawn yet.
const RATINGS = { 1: WRONG, 2: "0", 3: RIGHT };
// A first press says what is worth saying: that something is wrong.
const TURNS = { t: ["tool_choice", "false", "true"], a: ["arguments", "false", "true"],
  s: ["grounded", "false", "true"], m: ["is_error", "true"], p: ["inherited_error", "true"] };

class Trajectory extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.total = Number(this.dataset.total);
    this.steps = Array.from({ length: this.total }, () => null);
    this.places = new Map();
    this.opened = new Map();
    this.current = 0;
    this.field = this.querySelector("textarea[name=marks]");
    this.controls = this.querySelector("template[data-marks]");
    this.search = this.querySelector("#run-find");
    this.recall();
    for (const article of this.querySelectorAll("article.step")) this.take(article);
    this.querySelector("[data-pages]").remove();
    const list = this.querySelector("[data-list]");
    list.replaceChildren();
    list.setAttribute("role", "feed");
    list.setAttribute("aria-label", "Steps");
    this.list = new VirtualList(this.querySelector("[data-view]"), list, {
      count: this.total, signal, estimate: (i) => this.steps?.[i]?.height ?? UNSEEN,
      make: (i) => this.article(i), gone: (row, i) => this.remember(row, i),
    });
    const lines = this.querySelector("[data-outline]");
    lines.setAttribute("role", "list");
    this.outline = new Outline(this, lines, this.querySelector(".run-map"), signal);
    this.listen(signal);
    this.count();
    this.loaded = this.load(signal).then(() => this.find(0));
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  listen(signal) {
    document.addEventListener("keydown", (event) => this.pressed(event), { signal, capture: true });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.addEventListener("change", (event) => this.chosen(event), { signal });
    this.addEventListener("focusin", (event) => this.focused(event), { signal });
    this.search.addEventListener("input", (event) => {
      event.stopPropagation();
      this.find(0);
    }, { signal });
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.find(event.shiftKey ? -1 : 1);
    }, { signal });
    const first = this.form?.elements.first_error_step;
    first?.addEventListener("input", () => this.redraw(), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => this.recall(true), { signal });
  }

  get form() {
    return this.closest("form");
  }

  // --- steps ----------------------------------------------------------------------------------

  // Keep a step as text: elements of thousands of steps would weigh down the page.
  take(article) {
    const i = Number(article.dataset.number);
    this.steps[i] = kept(article);
    this.places.set(this.steps[i].id, i);
    return i;
  }

  async load(signal) {
    for (let from = 0; from < this.total; from += PIECE) {
      let missing = from;
      while (missing < from + PIECE && this.steps[missing]) missing += 1;
      if (missing >= Math.min(from + PIECE, this.total)) continue;
      if (!(await this.fetchPiece(missing, from + PIECE - missing, signal))) return;
    }
  }

  async fetchPiece(from, count, signal, tries = 0) {
    try {
      const answer = await fetch(`${this.dataset.url}?from=${from}&count=${count}`, { signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const piece = drawn(await answer.text());
      for (const article of piece.querySelectorAll("article.step")) {
        const i = this.take(article);
        this.list.guess(i);
        this.list.refresh(i);
        this.outline.changed(i);
      }
      this.list.plan();
      this.count();
      return true;
    } catch {
      if (signal.aborted) return false;
      // The network is away; a short run of steps is better late than not at all.
      await new Promise((done) => setTimeout(done, Math.min(30_000, 1000 * 2 ** tries)));
      return !signal.aborted && this.fetchPiece(from, count, signal, tries + 1);
    }
  }

  article(i) {
    const step = this.steps[i];
    const article = drawn(step?.html
      ?? `<article class="step" tabindex="-1"><p class="quiet">Step ${i + 1} is on its way.</p></article>`,
    ).firstElementChild;
    // A swap of the page would copy the style of a row to the row of the same id, which no policy
    // lets it.
    article.removeAttribute("id");
    if (!step) {
      article.setAttribute("aria-label", `Step ${i + 1}`);
      return article;
    }
    for (const [at, open] of (this.opened.get(i) ?? []).entries()) {
      const details = article.querySelectorAll("details")[at];
      if (details) details.open = open;
    }
    if (step.judged && this.controls) article.append(controls(this.stencil(), step.id, i + 1));
    this.sync(article, i);
    return article;
  }

  stencil() {
    const actions = [["evidence", "Use as evidence"]];
    if (this.form?.elements.first_error_step) actions.unshift(["first-error", "First error here"]);
    return this.stencilled ??= stencil(this.controls, actions);
  }

  remember(row, i) {
    const states = [...row.querySelectorAll("details")].map((each) => each.open);
    if (states.length) this.opened.set(i, states);
  }

  // --- marks ----------------------------------------------------------------------------------

  recall(again = false) {
    this.marks = read(this.field.value);
    if (again) this.redraw();
  }

  redraw() {
    for (const [i, row] of this.list.rows) this.sync(row, i);
    this.outline.changed(...this.outline.lines.rows.keys());
    this.count();
  }

  // Change one part of a step's marks; a value that is there already is taken back.
  mark(i, part, value) {
    const step = this.steps[i];
    if (!step?.judged || !this.controls) return;
    const mark = { ...this.marks.get(step.id) };
    if (mark[part] === value || value === "clear" || !value) delete mark[part];
    else mark[part] = value;
    if (Object.keys(mark).length) this.marks.set(step.id, mark);
    else this.marks.delete(step.id);
    this.wrote(i);
  }

  wrote(i) {
    this.field.value = write(this.marks);
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
    const row = this.list.row(i);
    if (row) this.sync(row, i);
    this.outline.changed(i);
    this.count();
  }

  turn(i, key) {
    const [part, ...values] = TURNS[key];
    if (!this.controls?.content.querySelector(`[name$=".${part}"]`)) return;
    const now = this.marks.get(this.steps[i]?.id)?.[part];
    this.mark(i, part, values[values.indexOf(now) + 1] ?? "clear");
  }

  recovered(i) {
    if (!this.controls?.content.querySelector('[name$=".recovered_from"]')) return;
    if (this.marks.get(this.steps[i]?.id)?.recovered_from) return this.mark(i, "recovered_from", "");
    for (let at = i - 1; at >= 0; at -= 1) {
      const mark = this.marks.get(this.steps[at]?.id);
      if (mark?.correctness === WRONG || mark?.is_error === "true" || this.steps[at]?.failed) {
        return this.mark(i, "recovered_from", this.steps[at].id);
      }
    }
  }

  firstError(i) {
    const step = this.steps[i];
    const { first_error_step: field, error_free: free, responsible_agent: agent } = this.form.elements;
    if (!field || !step?.judged) return;
    const before = this.places.get(field.value) ?? -1;
    field.value = field.value === step.id ? "" : step.id;
    if (free && field.value) free.checked = false;
    if (agent && !agent.value && step.agent) agent.value = step.agent;
    if (field.value && this.controls && this.marks.get(step.id)?.correctness !== WRONG) {
      this.mark(i, "correctness", WRONG);
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
    this.outline.changed(before, i);
  }

  isFirstError(i) {
    const value = this.form?.elements.first_error_step?.value;
    return Boolean(value) && this.steps[i]?.id === value;
  }

  facts(i) {
    return this.steps[i];
  }

  state(i) {
    const step = this.steps[i];
    return step ? stateOf(this.marks.get(step.id), step.failed) : "";
  }

  sync(row, i) {
    const mark = this.marks.get(this.steps[i]?.id) ?? {};
    row.dataset.state = this.state(i);
    row.classList.toggle("current", i === this.current);
    row.classList.toggle("first-error-here", this.isFirstError(i));
    if (i === this.current) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
    // What else is asked of a step is drawn for the one that is read, and where it was answered.
    const marks = row.lastElementChild.matches(".marks") ? row.lastElementChild : null;
    const answered = this.isFirstError(i) || Object.keys(mark).some((part) => part !== "correctness");
    if (marks && (i === this.current || answered)) ask(marks, this.stencil(), this.steps[i].id, i + 1);
    for (const control of row.querySelectorAll("[data-part]")) {
      const value = mark[control.dataset.part] ?? (control.dataset.part === "recovered_from" ? "" : "clear");
      if (control.type === "radio") control.checked = control.value === value;
      else control.value = value;
      control.closest(".ask")?.classList.toggle("said", value !== "" && value !== "clear");
    }
    row.querySelector('[data-action="first-error"]')
      ?.setAttribute("aria-pressed", String(this.isFirstError(i)));
  }

  count() {
    const ratings = [...this.marks.values()].map((mark) => mark.correctness);
    const judged = ratings.filter((rating) => rating !== undefined).length;
    const wrong = ratings.filter((rating) => rating === WRONG).length;
    const wanted = this.steps.filter((step) => step?.judged ?? true).length;
    const number = new Intl.NumberFormat("en").format;
    this.querySelector("[data-tally]").textContent = this.controls
      ? `${number(judged)} of ${number(wanted)} judged, ${number(wrong)} wrong` : "";
  }

  // --- moving ---------------------------------------------------------------------------------

  go(i, { focus = true } = {}) {
    const to = Math.min(Math.max(i, 0), this.total - 1);
    const from = this.current;
    this.current = to;
    this.uncover();
    this.redrawRows(from, to);
    this.list.show(to);
    if (focus) this.list.row(to)?.focus({ preventScroll: true });
    this.outline.show(to);
  }

  // The bar with the answer lies over the end of the page; the whole list should be above it.
  uncover() {
    const bar = document.querySelector(".answerbar")?.getBoundingClientRect().top ?? innerHeight;
    const { top, bottom } = this.list.view.getBoundingClientRect();
    if (bottom > bar || top < 60) this.querySelector(".run-bar").scrollIntoView();
  }

  seek(from, by, wanted) {
    for (let i = from + by; i >= 0 && i < this.total; i += by) if (wanted(i)) return i;
    return -1;
  }

  flagged(by) {
    const at = this.seek(this.current, by, (i) => this.state(i) && this.state(i) !== "right");
    if (at >= 0) this.go(at);
  }

  // by 0: the first match from here on, while typing; 1 and -1: the next and the one before.
  find(by) {
    const wanted = this.search.value.trim().toLowerCase();
    const told = this.querySelector("[data-found]");
    if (!wanted) { told.textContent = ""; return; }
    const hits = [];
    this.steps.forEach((step, i) => { if (step?.text.includes(wanted)) hits.push(i); });
    const at = by < 0 ? hits.findLast((i) => i < this.current) ?? hits.at(-1)
      : hits.find((i) => (by ? i > this.current : i >= this.current)) ?? hits[0];
    const reading = this.steps.includes(null);
    if (at === undefined) told.textContent = reading ? "Still reading the run" : "Nothing found";
    else told.textContent = `${hits.indexOf(at) + 1} of ${hits.length}${reading ? " so far" : ""}`;
    if (at !== undefined && at !== this.current) this.go(at, { focus: false });
  }

  // --- events ---------------------------------------------------------------------------------

  clicked(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (action === "next-flag") return this.flagged(1);
    if (action === "previous-flag") return this.flagged(-1);
    const i = Number(event.target.closest("[data-index]")?.dataset.index ?? -1);
    if (action === "first-error") this.firstError(i);
    else if (action === "evidence") this.evidence(i);
  }

  chosen(event) {
    const part = event.target.dataset?.part;
    if (!part) return;
    const i = Number(event.target.closest("[data-index]").dataset.index);
    const now = this.marks.get(this.steps[i].id)?.[part];
    if (now !== event.target.value) this.mark(i, part, event.target.value);
  }

  focused(event) {
    const i = Number(event.target.closest("article[data-index]")?.dataset.index ?? -1);
    if (i < 0 || i === this.current) return;
    const before = this.current;
    this.current = i;
    this.redrawRows(before, i);
  }

  redrawRows(...indexes) {
    for (const i of indexes) {
      const row = this.list.row(i);
      if (row) this.sync(row, i);
    }
    this.outline.changed(...indexes);
  }

  evidence(i) {
    const { id, kind } = this.steps[i] ?? {};
    if (!id) return;
    const detail = { kind: "step", step: id, label: `Step ${i + 1}, ${kind.toLowerCase()}` };
    this.dispatchEvent(new CustomEvent("evidence", { detail, bubbles: true }));
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]") || !this.isConnected) return;
    const done = this.act(keyOf(event));
    if (done) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  // Do what a key says; whether it says anything here.
  act(key) {
    const i = this.current;
    if (key === "j" || key === "k") this.go(i + (key === "j" ? 1 : -1));
    else if (key in RATINGS && this.controls) {
      // “Right, and on” goes on where a step is right already; the others take themselves back.
      if (key !== "3" || this.marks.get(this.steps[i]?.id)?.correctness !== RIGHT) {
        this.mark(i, "correctness", RATINGS[key]);
      }
      if (key === "3") this.onward(i);
    } else if (key in TURNS) this.turn(i, key);
    else if (key === "b") this.recovered(i);
    else if (key === "x") this.firstError(i);
    else if (key === "c") this.evidence(i);
    else if (key === "o") this.unfold(i);
    else return false;
    return true;
  }

  onward(i) {
    const next = this.seek(i, 1, (each) => this.steps[each]?.judged ?? true);
    if (next >= 0 && this.state(i).startsWith("r")) this.go(next);
  }

  unfold(i) {
    const folds = [...(this.list.row(i)?.querySelectorAll("details.rest") ?? [])];
    const open = folds.some((each) => !each.open);
    for (const each of folds) each.open = open;
  }
}

// What the server drew, as nodes that are not in the page yet.
function drawn(html) {
  return document.createRange().createContextualFragment(html);
}

customElements.define("x-trajectory", Trajectory);
