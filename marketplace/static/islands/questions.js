// <x-questions>: aspects to rate or answers to rank, one after another; a digit answers the current
// one and goes on, a letter says that it cannot be answered. Without this file all of it is a form.

import { Rows } from "./rows.js";

class Questions extends Rows {
  // The letter stands on the control itself, which is the row's way out.
  act(key) {
    const out = this.current?.querySelector(`[data-out="${key}"]`);
    if (!out) return false;
    out.click();
    if (out.checked && this.current.dataset.row === "one") this.move(1);
    return true;
  }

  // A score and "not applicable" exclude each other; the later word counts.
  changed(event) {
    const row = event?.target.closest?.("[data-row]");
    if (!row || !event.target.checked) return;
    const out = row.querySelector("input[type=checkbox][data-out]");
    if (event.target === out) {
      for (const radio of row.querySelectorAll("input[type=radio]")) radio.checked = false;
    } else if (out && event.target.type === "radio") out.checked = false;
  }
}

customElements.define("x-questions", Questions);
