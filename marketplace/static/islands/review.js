// <x-review>: the keys of the review page. A control that carries data-key is pressed by that key,
// wherever on the page it stands; without this file every control still works by pointer and Tab.

const TYPED = "textarea, select, input:not([type=checkbox], [type=radio])";

class Review extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    document.addEventListener("keydown", (event) => this.pressed(event), { signal });
    const keys = this.querySelector("[data-keys]");
    document.querySelector("[data-page-keys]")?.replaceChildren(keys.content.cloneNode(true));
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || document.body.matches(".keys-waiting")) return;
    if (event.target.matches?.(TYPED)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (/^[1-9]$/.test(event.key) && this.named(Number(event.key))) {
      event.preventDefault();
      return;
    }
    if (event.key.toLowerCase() === "n" && this.querySelector('[name="note"]')) {
      event.preventDefault();
      this.querySelector('[name="note"]').focus();
      return;
    }
    const control = document.querySelector(`main [data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!control) return;
    event.preventDefault();
    // A verdict that needs reasons goes to the note first while that is empty.
    const note = this.querySelector('[name="note"]');
    const needs = control.value === "rework" || control.value === "reject";
    const said = [...this.querySelectorAll('[name$=".what"], [name$=".code"]')].some((one) => one.value.trim());
    if (needs && !note.value.trim() && !said) note.focus();
    else control.click();
  }

  // Puts the defect with this number into the first row that names none, and goes to where it is.
  named(number) {
    const rows = this.querySelector("[data-defects]");
    const free = [...(rows?.querySelectorAll('[name$=".code"]') ?? [])].find((one) => !one.value);
    if (!free?.options[number]) return false;
    rows.open = true;
    const folded = free.closest("[data-defects] details");
    if (folded) folded.open = true;
    free.selectedIndex = number;
    rows.querySelector(`[name="${CSS.escape(free.name.replace(/code$/, "place"))}"]`).focus();
    return true;
  }
}

customElements.define("x-review", Review);
