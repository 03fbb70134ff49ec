// <x-critique-revise>: principles one after another, a model's finding kept, edited or rejected,
// and the differences between the response and its revision. Without this file all of it is a form.

import { Rows } from "./rows.js";
import { marked } from "./word_diff.js";

const LETTERS = {
  v: ["violates", "true"], n: ["violates", "false"],
  a: ["audit", "kept"], s: ["audit", "edited"], x: ["audit", "rejected"],
};

class CritiqueRevise extends Rows {
  connectedCallback() {
    super.connectedCallback();
    const { signal } = this.stopped;
    this.addEventListener("click", (event) => this.clicked(event), { signal });
  }

  act(key) {
    if (key === "c") return this.write('textarea[name$=".critique"]');
    return LETTERS[key] ? this.pick(...LETTERS[key]) : false;
  }

  clicked(event) {
    const button = event.target.closest("[data-action=diff]");
    if (!button) return;
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    this.querySelector("[data-diff]").hidden = !shown;
    this.changed();
  }

  // The model's words leave the form of who rejects them, and come back to who keeps them.
  audited(row, audit) {
    for (const field of row.querySelectorAll("textarea[data-said]")) {
      const theirs = field.value.trim() === field.dataset.said.trim();
      if (audit === "rejected" && theirs) field.value = "";
      if (audit === "kept") field.value = field.dataset.said;
    }
    const violates = row.querySelector(`input[name$=".violates"][value="${row.dataset.violates}"]`);
    if (audit === "kept" && violates) violates.checked = true;
  }

  // What somebody writes over a model's words is an edit; they need not say so again.
  changed(event) {
    const row = event?.target.closest?.("[data-row]");
    if (row && event.target.name.endsWith(".audit")) this.audited(row, event.target.value);
    if (row && event.target.matches("textarea")) {
      const kept = row.querySelector('input[name$=".audit"][value="kept"]');
      if (kept?.checked) row.querySelector('input[name$=".audit"][value="edited"]').checked = true;
    }
    const place = this.querySelector("[data-diff]");
    if (!place || place.hidden) return;
    const revision = this.querySelector('textarea[name="revision"]').value;
    place.replaceChildren(...marked(place.dataset.original, revision));
  }
}

customElements.define("x-critique-revise", CritiqueRevise);
