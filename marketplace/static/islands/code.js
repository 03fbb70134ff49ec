// <x-code>: a diff through which one goes line by line, with comments written where they belong.
// Each comment is a row of plain fields, which work without this file; here rows are made, put
// below the line that they name, and listed.

import { keyOf, typing } from "./keys.js";
import { Places } from "./diff_places.js";

const SEVERITIES = ["blocker", "major", "minor", "nit"];
const SHOWN_MAX = 80;

class Code extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    for (const each of this.querySelectorAll("noscript")) each.remove();
    this.places = new Places(this);
    // Before the workbench, which leaves alone what was handled here.
    document.addEventListener("keydown", (event) => this.pressed(event), { signal, capture: true });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.addEventListener("focusin", (event) => this.entered(event.target), { signal });
    this.addEventListener("focusout", (event) => this.left(event), { signal });
    this.addEventListener("input", () => this.draw(), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => this.settle(), { signal });
    this.settle();
    const first = this.places.stops().find((stop) => stop.matches("tr"));
    if (first) first.tabIndex = 0;
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  // --- comments -------------------------------------------------------------------------------

  remarks() {
    return [...this.querySelectorAll("[data-comment]")];
  }

  field(remark, name) {
    return remark.querySelector(`[name="comments.${remark.dataset.comment}.${name}"]`);
  }

  // Where a comment stands, as its fields say it.
  place(remark) {
    const [path, line, side] = ["path", "line", "side"].map((name) => this.field(remark, name).value);
    return { path, line: line.trim(), side: side || "new" };
  }

  severity(remark) {
    return remark.querySelector('[name$=".severity"]:checked')?.value ?? "";
  }

  empty(remark) {
    const said = ["body", "suggestion"].some((name) => this.field(remark, name).value.trim());
    return !said && !this.severity(remark);
  }

  // Every comment below its line, or at the head of its file; what names neither stays in the list.
  settle() {
    for (const remark of this.remarks()) this.anchor(remark);
    this.draw();
  }

  anchor(remark) {
    const former = remark.closest(".remark-line");
    const found = this.places.put(remark, this.place(remark));
    if (!found) this.querySelector("[data-rows]").append(remark);
    if (former && !former.contains(remark)) former.remove();
    remark.toggleAttribute("data-placed", found);
    remark.tabIndex = -1;
  }

  comment(where) {
    const same = this.remarks().find((each) => {
      const { path, line, side } = this.place(each);
      return path === where.path && line === where.line && (!line || side === where.side) && this.empty(each);
    });
    const remark = same ?? this.made(where);
    this.remark = remark;
    this.field(remark, "body").focus();
    this.draw();
  }

  made({ path, line, side }) {
    const number = Math.max(-1, ...this.remarks().map((each) => Number(each.dataset.comment))) + 1;
    const remark = this.querySelector("[data-new]").content.cloneNode(true).querySelector("[data-comment]");
    for (const each of [remark, ...remark.querySelectorAll("[name], [id], [for], [aria-describedby]")]) {
      for (const name of ["data-comment", "name", "id", "for", "aria-describedby"]) {
        const value = each.getAttribute(name);
        if (value) each.setAttribute(name, value.replace("__", number));
      }
    }
    this.querySelector("[data-rows]").append(remark);
    this.field(remark, "path").value = path;
    this.field(remark, "line").value = line;
    this.field(remark, "side").value = side === "old" ? "old" : "";
    this.anchor(remark);
    return remark;
  }

  remove(remark) {
    const back = remark.closest(".remark-line") ?? remark;
    const line = this.places.lineOf(this.place(remark));
    back.remove();
    if (this.remark === remark) this.remark = null;
    this.changed();
    if (line) this.go(line);
    this.say("Comment removed.");
  }

  // The form has changed: what saves it hears an input from within.
  changed() {
    const heard = this.querySelector("[data-comment] textarea") ?? this.closest("form").elements.fence;
    heard.dispatchEvent(new Event("input", { bubbles: true }));
    this.draw();
  }

  grade(number) {
    const remark = this.remark?.isConnected ? this.remark : null;
    if (!remark) { this.say("There is no comment here yet. C writes one."); return; }
    const radio = remark.querySelector(`[name$=".severity"][value="${SEVERITIES[number - 1]}"]`);
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    this.say(`${radio.parentElement.textContent.trim()}: ${this.named(remark)}.`);
  }

  suggest() {
    const remark = this.remark?.isConnected ? this.remark : null;
    if (!remark) { this.say("There is no comment here yet. C writes one."); return; }
    remark.querySelector(".suggestion").open = true;
    const field = this.field(remark, "suggestion");
    const line = this.places.lineOf(this.place(remark));
    if (!field.value && line && !line.matches(".removed")) field.value = this.places.words(line);
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // --- going through ----------------------------------------------------------------------------

  go(stop) {
    if (stop.matches("tr")) {
      this.point(stop);
      const folded = stop.closest("details:not([open])");
      if (folded) folded.open = true;
    }
    stop.focus({ preventScroll: true });
    stop.scrollIntoView({ block: "nearest" });
  }

  // The line that keys speak of; it is the one that Tab comes back to.
  point(line) {
    for (const each of this.querySelectorAll('.diff-lines tr[tabindex="0"]')) each.tabIndex = -1;
    this.line?.removeAttribute("aria-current");
    this.line = line;
    line.tabIndex = 0;
    line.setAttribute("aria-current", "true");
    line.setAttribute("aria-label", this.places.named(line));
    this.file = line.closest("[data-file]");
    this.remark = this.places.remarksOf(line).at(-1) ?? null;
  }

  step(by) {
    const from = document.activeElement.closest?.(".diff-lines tr, .diff-file summary, [data-comment]") ?? this.line;
    const stop = this.places.beside(this.places.stops(), from, by);
    if (stop) this.go(stop);
    else this.say(by > 0 ? "That was the last change." : "That is the first change.");
  }

  stepFile(by) {
    const files = this.places.files.map((file) => file.querySelector("summary"));
    const at = this.file ? this.places.files.indexOf(this.file) : by > 0 ? -1 : files.length;
    const summary = files[at + by];
    if (!summary) { this.say(by > 0 ? "That was the last file." : "That is the first file."); return; }
    this.file = this.places.files[at + by];
    this.go(this.places.first(this.file) ?? summary);
  }

  stepRemark(by) {
    const remarks = this.remarks();
    const at = remarks.indexOf(this.remark);
    const next = at < 0 && this.line ? this.places.beside(remarks, this.line, by) : remarks[at < 0 && by < 0 ? remarks.length - 1 : at + by];
    if (next) this.look(next);
    else this.say(remarks.length ? "There is no further comment." : "There is no comment yet.");
  }

  look(remark) {
    const folded = remark.closest(".diff-file details:not([open])");
    if (folded) folded.open = true;
    this.remark = remark;
    remark.focus({ preventScroll: true });
    remark.scrollIntoView({ block: "nearest" });
  }

  // --- what people do ---------------------------------------------------------------------------

  entered(target) {
    const remark = target.closest("[data-comment]");
    const line = target.closest(".diff-lines tbody > tr:not(.remark-line)");
    if (remark) this.remark = remark;
    else if (line && line !== this.line) this.point(line);
    this.file = target.closest("[data-file]") ?? this.file;
  }

  // A comment that was begun and not written goes away by itself.
  left(event) {
    const remark = event.target.closest("[data-comment]");
    if (!remark || !event.relatedTarget || remark.contains(event.relatedTarget) || !this.empty(remark)) return;
    queueMicrotask(() => {
      (remark.closest(".remark-line") ?? remark).remove();
      this.draw();
    });
  }

  clicked(event) {
    const act = event.target.closest("[data-act]");
    if (act) { this.act(act.dataset.act, act); return; }
    const chosen = event.target.closest("[data-list] button");
    if (chosen) { this.look(this.querySelector(`[data-comment="${chosen.dataset.to}"]`)); return; }
    const cell = event.target.closest(".diff-lines tbody > tr:not(.remark-line) > td");
    if (!cell || String(getSelection())) return;
    this.point(cell.parentElement);
    if (cell.cellIndex < 3) this.comment(this.places.of(cell.parentElement));
  }

  act(name, control) {
    if (name === "remove") this.remove(control.closest("[data-comment]"));
    else if (name === "next" || name === "previous") this.step(name === "next" ? 1 : -1);
    else if (name === "comment") this.onLine();
    else if (name === "file") this.onFile();
    else if (name === "evidence") this.evidence();
  }

  onLine() {
    if (this.line?.isConnected) this.comment(this.places.of(this.line));
    else this.say("Go to a line first, with J or by pressing on it.");
  }

  onFile() {
    const file = this.file ?? this.places.files[0];
    file.querySelector("details").open = true;
    this.comment({ path: file.dataset.file, line: "", side: "new" });
  }

  evidence() {
    if (!this.line) { this.say("Go to a line first, with J or by pressing on it."); return; }
    const { path, line, side } = this.places.of(this.line);
    const detail = { kind: "line", path, line: Number(line), side, quote: this.places.words(this.line).slice(0, 500), label: `${path}:${line}` };
    this.dispatchEvent(new CustomEvent("evidence", { bubbles: true, detail }));
    this.say(`${detail.label} is evidence of a reason below.`);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    const remark = target.closest?.("[data-comment]");
    const key = keyOf(event);
    const done = key === "escape" ? this.outOf(remark) : !typing(target) && this.did(key, target, remark);
    if (done) event.preventDefault();
  }

  // Out of a comment, back to its line, on which the other keys work again.
  outOf(remark) {
    if (!remark || !this.contains(remark)) return false;
    const line = this.places.lineOf(this.place(remark));
    (line ?? remark.closest("[data-file]")?.querySelector("summary") ?? remark).focus({ preventScroll: true });
    if (line) this.point(line);
    if (remark.isConnected && !this.empty(remark)) this.remark = remark;
    return true;
  }

  did(key, target, remark) {
    const inLines = target.matches?.(".diff-lines tr");
    if (inLines && (key === "arrowdown" || key === "arrowup")) this.along(key === "arrowdown" ? 1 : -1);
    else if (key === "enter" && inLines) this.onLine();
    else if (key === "enter" && target === remark) this.field(remark, "body").focus();
    else if (key === "j" || key === "k") this.step(key === "j" ? 1 : -1);
    else if (key === "[" || key === "]") this.stepFile(key === "]" ? 1 : -1);
    else if (key === "n" || key === "b") this.stepRemark(key === "n" ? 1 : -1);
    else if (/^[1-4]$/.test(key)) this.grade(Number(key));
    else if (key === "o") this.fold();
    else if (key === "s") this.suggest();
    else return false;
    return true;
  }

  along(by) {
    const next = this.places.beside(this.places.open(), this.line, by);
    if (next) this.go(next);
  }

  fold() {
    const file = this.file ?? this.places.files[0];
    const details = file.querySelector("details");
    details.open = !details.open;
    this.file = file;
    if (!details.open) this.go(file.querySelector("summary"));
  }

  // --- showing ----------------------------------------------------------------------------------

  draw() {
    const remarks = this.remarks();
    const list = this.querySelector("[data-list]");
    list.replaceChildren(...remarks.filter((each) => !this.empty(each)).map((remark) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "plain-row", textContent: this.summed(remark) });
      button.dataset.to = remark.dataset.comment;
      const row = document.createElement("li");
      row.append(button);
      return row;
    }));
    for (const remark of remarks) remark.querySelector("[data-where]").textContent = this.named(remark);
    this.querySelector("[data-none]").hidden = remarks.length > 0;
  }

  named(remark) {
    const { path, line, side } = this.place(remark);
    if (!path) return "A comment without a place";
    if (!line) return `${path}, the whole file`;
    return `${path}, line ${line}${side === "old" ? " before the change" : ""}`;
  }

  summed(remark) {
    const words = this.field(remark, "body").value.trim().replace(/\s+/g, " ");
    const cut = words.length > SHOWN_MAX ? `${words.slice(0, SHOWN_MAX - 1)}…` : words;
    return [this.named(remark), this.severity(remark) || "no severity yet", cut].filter(Boolean).join(" · ");
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }
}

customElements.define("x-code", Code);
