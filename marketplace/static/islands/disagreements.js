// <x-disagreements>: J and K go from item to item, O shows what the item says. At the last item J
// goes to the next page. Without this file everything is reached by Tab and pointer.

const TYPED = "textarea, select, input:not([type=checkbox], [type=radio])";

class Disagreements extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    document.addEventListener("keydown", (event) => this.pressed(event), { signal: this.stopped.signal });
    const keys = this.querySelector("[data-keys]");
    document.querySelector("[data-page-keys]")?.replaceChildren(keys.content.cloneNode(true));
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || document.body.matches(".keys-waiting")) return;
    if (event.target.matches?.(TYPED)) return;
    const step = { j: 1, k: -1 }[event.key.toLowerCase()];
    if (step) this.go(step);
    else if (event.key.toLowerCase() === "o") this.toggle();
    else return;
    event.preventDefault();
  }

  get items() {
    return [...this.querySelectorAll(":scope > article")];
  }

  get at() {
    return this.items.findIndex((one) => one.contains(document.activeElement));
  }

  go(step) {
    const next = this.items[this.at + step];
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "start" });
    } else if (step > 0) document.querySelector("main a[rel=next]")?.click();
  }

  toggle() {
    const item = this.items[Math.max(this.at, 0)]?.querySelector("[data-item]");
    if (item) item.open = !item.open;
  }
}

customElements.define("x-disagreements", Disagreements);
