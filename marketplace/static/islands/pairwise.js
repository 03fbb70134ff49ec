// <x-pairwise>: two answers that scroll together, their differences on demand, and the preferred
// one marked. Without this file both answers are simply there.

class Pairwise extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.panes = [...this.querySelectorAll(".scroll")];
    this.together = true;
    for (const pane of this.panes) {
      pane.addEventListener("scroll", () => this.follow(pane), { signal, passive: true });
    }
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    const bench = this.closest("x-workbench");
    bench?.addEventListener("input", () => this.mark(), { signal });
    bench?.addEventListener("restored", () => this.mark(), { signal });
    this.mark();
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  // Panes of different length keep the same share read, so their ends meet.
  follow(pane) {
    if (!this.together || this.leading === pane) { this.leading = null; return; }
    const room = (each) => each.scrollHeight - each.clientHeight;
    const share = room(pane) ? pane.scrollTop / room(pane) : 0;
    for (const other of this.panes) {
      if (other === pane) continue;
      const wanted = Math.round(share * room(other));
      if (Math.abs(other.scrollTop - wanted) < 1) continue;
      this.leading = other;
      other.scrollTop = wanted;
    }
  }

  clicked(event) {
    const button = event.target.closest("[data-action]");
    if (!button) return;
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    if (button.dataset.action === "sync") this.together = pressed;
    else {
      this.querySelector(".answers-diff").hidden = !pressed;
      for (const answer of this.querySelectorAll(".answer")) answer.hidden = pressed;
      this.scrollIntoView({ block: "nearest" });
    }
  }

  mark() {
    const chosen = document.querySelector('input[name="choice"]:checked')?.value;
    for (const answer of this.querySelectorAll(".answer")) {
      answer.classList.toggle("preferred", answer.dataset.slot === chosen);
    }
  }
}

customElements.define("x-pairwise", Pairwise);
