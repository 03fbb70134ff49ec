// <x-instructions>: find words in the instructions, with their number, from one to the next.

const LEAST = 2; // Fewer letters would mark half of the page.

class Instructions extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.input = this.querySelector("input[type=search]");
    this.output = this.querySelector("output");
    this.input.addEventListener("input", (event) => { event.stopPropagation(); this.find(); }, { signal });
    this.querySelector("[data-action=close]").addEventListener("click", () => {
      this.closest("details").open = false;
    }, { signal });
    this.input.addEventListener("keydown", (event) => this.pressed(event), { signal });
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  pressed(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      event.stopPropagation();
      this.go(event.shiftKey ? -1 : 1);
    }
  }

  clear() {
    for (const mark of this.querySelectorAll("mark.found")) {
      const parent = mark.parentNode;
      mark.replaceWith(...mark.childNodes);
      parent.normalize();
    }
  }

  find() {
    this.clear();
    this.at = -1;
    const wanted = this.input.value.trim().toLowerCase();
    if (wanted.length < LEAST) { this.output.value = ""; return; }
    for (const node of this.texts()) this.markIn(node, wanted);
    const found = this.querySelectorAll("mark.found").length;
    if (found) this.go(1);
    else this.output.value = "not there";
  }

  texts() {
    const walker = document.createTreeWalker(this.querySelector("[data-searched]"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  }

  markIn(node, wanted) {
    let at = node.data.toLowerCase().indexOf(wanted);
    while (at >= 0) {
      const part = node.splitText(at);
      node = part.splitText(wanted.length);
      const mark = document.createElement("mark");
      mark.className = "found";
      part.replaceWith(mark);
      mark.append(part);
      at = node.data.toLowerCase().indexOf(wanted);
    }
  }

  go(by) {
    const found = [...this.querySelectorAll("mark.found")];
    if (!found.length) return;
    found[this.at]?.classList.remove("current");
    this.at = (this.at + by + found.length) % found.length;
    const mark = found[this.at];
    mark.classList.add("current");
    const folded = mark.closest("details:not(.instructions)");
    if (folded) folded.open = true;
    mark.scrollIntoView({ block: "nearest" });
    this.output.value = `${this.at + 1} of ${found.length}`;
  }
}

customElements.define("x-instructions", Instructions);
