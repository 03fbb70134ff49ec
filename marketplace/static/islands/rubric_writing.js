// <x-rubric-writing>: criteria that are added, moved and removed, hints on each while it is
// written, and the sum of the points. Without this file there are rows with a place to type.

import { keyOf } from "./keys.js";

const VAGUE = /\b(adequate|appropriate(?:ly)?|as needed|clear(?:ly)?|comprehensive|correct(?:ly)?|detailed|enough|etc|good|helpful|high quality|professional|proper(?:ly)?|reasonable|relevant|sufficient|thorough|well)\b/gi;
const SEVERAL = /\b(?:and also|as well as|and\/or)\b|;/i;
const LONG = 400;

class RubricWriting extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    for (const each of this.querySelectorAll("noscript")) each.remove();
    this.list = this.querySelector("[data-rows]");
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.addEventListener("input", () => this.show(), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => this.show(), { signal });
    this.show();
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  rows() {
    return [...this.list.children];
  }

  clicked(event) {
    const { act } = event.target.closest("button")?.dataset ?? {};
    const row = event.target.closest("[data-row]");
    if (act === "add") this.add();
    else if (act === "remove") this.remove(row);
    else if (act === "up" || act === "down") {
      this.move(row, act);
      row.querySelector(`[data-act="${act}"]`).focus();
    }
  }

  pressed(event) {
    const row = event.target.closest?.("[data-row]");
    if (!row || !event.altKey || event.ctrlKey || event.metaKey) return;
    const way = { arrowup: "up", arrowdown: "down" }[keyOf(event)];
    if (!way) return;
    event.preventDefault();
    this.move(row, way);
    event.target.focus();
  }

  add() {
    // An empty row is as good as a new one.
    let row = this.rows().find((each) => !this.wordsOf(each));
    if (!row) {
      const made = this.querySelector("[data-new]").content.cloneNode(true);
      row = made.querySelector("[data-row]");
      for (const each of row.querySelectorAll("noscript")) each.remove();
      this.list.append(row);
      this.number();
    }
    row.querySelector("textarea").focus();
    this.show();
  }

  move(row, way) {
    const other = way === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (way === "up") other.before(row);
    else other.after(row);
    this.number();
    this.changed();
    this.say(`Now criterion ${this.rows().indexOf(row) + 1}. ${this.querySelector("[data-sum]").textContent}`);
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (next) row.remove();
    else for (const field of row.querySelectorAll("textarea, input")) field.value = "";
    (next ?? row).querySelector("textarea").focus();
    this.number();
    this.changed();
  }

  // Names, ids and what refers to them follow the order: the form sends rows by their numbers.
  number() {
    this.rows().forEach((row, at) => {
      row.id = `field-rubrics-${at}`;
      row.querySelector("[data-number]").textContent = String(at + 1);
      for (const element of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
        for (const name of ["name", "id", "for", "aria-describedby"]) {
          const value = element.getAttribute(name);
          if (value) element.setAttribute(name, value.replace(/rubrics([.-])(\d+|__)/g, `rubrics$1${at}`));
        }
      }
    });
    this.show();
  }

  changed() {
    this.list.querySelector("textarea").dispatchEvent(new Event("input", { bubbles: true }));
  }

  wordsOf(row) {
    return row.querySelector("textarea").value.trim();
  }

  show() {
    const rows = this.rows();
    const said = rows.map((row) => this.wordsOf(row));
    const points = rows.map((row, at) => (said[at] ? Number(row.querySelector("input[type=number]").value) || 0 : 0));
    rows.forEach((row, at) => this.hint(row, said[at] ? hintsOn(said, at) : []));
    const sum = (sign) => points.reduce((all, each) => all + (Math.sign(each) === sign ? each : 0), 0);
    const number = said.filter(Boolean).length;
    this.say(`${number} ${number === 1 ? "criterion" : "criteria"}, ${sum(1)} points to gain, ${-sum(-1)} to lose`);
  }

  hint(row, hints) {
    const place = row.querySelector("[data-hints]");
    place.hidden = !hints.length;
    place.replaceChildren(...hints.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
  }

  say(words) {
    const place = this.querySelector("[data-sum]");
    if (place.textContent !== words) place.textContent = words;
  }
}

// What weakens a criterion without being wrong; the server says the same to who reviews it.
function hintsOn(said, at) {
  const words = said[at];
  const hints = [];
  const vague = [...new Set([...words.matchAll(VAGUE)].map(([found]) => `“${found.toLowerCase()}”`))];
  if (vague.length) hints.push(`${vague.join(", ")}: say what a grader should look for.`);
  if (SEVERAL.test(words)) hints.push("It asks for several things; a grader can only say yes or no. Split it.");
  if (words.length > LONG) hints.push(`It is longer than ${LONG} characters; a grader may lose its point.`);
  const same = said.findIndex((other) => other && plain(other) === plain(words));
  if (same >= 0 && same < at) hints.push(`Criterion ${same + 1} says this already.`);
  return hints;
}

const plain = (words) => words.toLowerCase().match(/[\p{L}\p{N}_]+/gu)?.join(" ") ?? words;

customElements.define("x-rubric-writing", RubricWriting);
