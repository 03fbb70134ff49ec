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
    const control = document.querySelector(`main [data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!control) return;
    event.preventDefault();
    // A verdict that needs reasons goes to the note first while that is empty.
    const note = this.querySelector('[name="note"]');
    const needs = control.value === "rework" || control.value === "reject";
    if (needs && !note.value.trim() && !this.querySelector('[name$=".what"]')?.value.trim()) note.focus();
    else control.click();
  }
}

customElements.define("x-review", Review);
