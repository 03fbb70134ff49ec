// <x-correction>: a model's values field by field, with what became of each of them while somebody
// corrects. What is kept for good is worked out on the server, by the same rules.

import { Rows } from "./rows.js";
import { marked } from "./word_diff.js";

const WORDS = { kept: "kept", edited: "edited", deleted: "left out", added: "added" };

class Correction extends Rows {
  connectedCallback() {
    this.original = new Map();
    for (const row of this.querySelectorAll("[data-row]")) {
      if (row.dataset.was) this.original.set(row, JSON.parse(row.dataset.was));
    }
    super.connectedCallback();
    const { signal } = this.stopped;
    this.addEventListener("click", (event) => this.clicked(event), { signal });
  }

  act(key) {
    if (key === "c") return this.write("textarea, input:not([type=radio], [type=hidden])");
    if (key === "a") return this.takeBack(this.current);
    if (key === "x") return this.leaveOut(this.current);
    return false;
  }

  clicked(event) {
    const button = event.target.closest("[data-action]");
    if (!button) return;
    if (button.dataset.action === "back") this.takeBack(button.closest("[data-row]"));
    else {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      this.toggleAttribute("data-diffs", shown);
      this.changed();
    }
  }

  fields(row) {
    return [...row.querySelectorAll("textarea, input:not([type=hidden]), select")];
  }

  // A message without words is none, whoever is chosen to speak it.
  spoken(field) {
    const message = field.closest("[data-message]");
    return !message || message.querySelector("textarea").value.trim() !== "";
  }

  // The field as text: what is typed, or the value that is chosen.
  said(row) {
    return this.fields(row)
      .filter((field) => (field.type !== "radio" || field.checked) && this.spoken(field))
      .map((field) => field.value.trim())
      .join("\n");
  }

  // A value as people see it: the words on its button.
  words(row, value) {
    const radio = row.querySelector(`input[type=radio][value="${CSS.escape(value)}"]`);
    return radio?.closest("label").textContent.trim() ?? value;
  }

  takeBack(row) {
    const was = row && this.original.get(row);
    if (!was) return false;
    for (const field of this.fields(row)) {
      if (field.type === "radio") field.checked = (was[field.name] ?? "") === field.value;
      else if (!field.closest("[data-message]") || field.name in was) field.value = was[field.name] ?? "";
      else if (field.tagName === "TEXTAREA") field.value = "";
    }
    this.tellDraft(row);
    return true;
  }

  leaveOut(row) {
    if (!row) return false;
    for (const field of this.fields(row)) {
      if (field.type === "radio") field.checked = field.value === "";
      else if (!field.closest("[data-message]") || field.tagName === "TEXTAREA") field.value = "";
    }
    this.tellDraft(row);
    return true;
  }

  // The draft is saved when a field of the form says that it changed.
  tellDraft(row) {
    this.fields(row)[0]?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  changed() {
    for (const row of this.rows()) {
      const was = this.original.get(row);
      const before = was ? this.whole(row, was) : "";
      const now = this.said(row);
      const op = !was ? (now ? "added" : "") : !now ? "deleted" : now === before ? "kept" : "edited";
      const state = row.querySelector("[data-op]");
      if (state) {
        state.textContent = op ? WORDS[op] : "";
        state.dataset.op = op;
      }
      const place = row.querySelector("[data-diff]");
      if (!place) continue;
      place.hidden = !this.hasAttribute("data-diffs") || op !== "edited";
      if (!place.hidden) place.replaceChildren(...marked(this.words(row, before), this.words(row, now)));
    }
  }

  whole(row, was) {
    const seen = new Set();
    return this.fields(row)
      .filter((field) => field.name in was && !seen.has(field.name) && seen.add(field.name))
      .map((field) => (was[field.name] ?? "").trim())
      .join("\n");
  }
}

customElements.define("x-correction", Correction);
