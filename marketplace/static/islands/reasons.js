// <x-rows>: rows of a form, and one more on demand. <x-reasons>: the reasons of a rationale, to
// which an island adds evidence by dispatching `evidence` with {kind, …, label}.

class Rows extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.addEventListener("click", (event) => {
      if (event.target.closest('[data-action="more"]')) this.more();
    }, { signal });
    this.begin(signal);
  }

  disconnectedCallback() {
    this.stopped.abort();
  }

  begin() {}

  rows() {
    return [...this.querySelectorAll(":scope > fieldset")];
  }

  // A copy of the last row, empty and with the next number.
  more() {
    const last = this.rows().at(-1);
    const number = this.rows().length;
    const row = last.cloneNode(true);
    const renumber = (text) => text.replace(/([.-])\d+(?=[.-]|$)/, `$1${number}`);
    for (const each of [row, ...row.querySelectorAll("*")]) {
      for (const name of ["id", "name", "for", "aria-describedby"]) {
        if (each.hasAttribute(name)) each.setAttribute(name, renumber(each.getAttribute(name)));
      }
      if (each.hasAttribute("aria-label")) {
        each.setAttribute("aria-label", each.getAttribute("aria-label").replace(/\d+/, number + 1));
      }
      if ("value" in each && each.matches("input, textarea")) each.value = "";
    }
    for (const each of row.querySelectorAll("legend, label")) {
      for (const node of each.childNodes) {
        if (node.nodeType === 3) node.data = node.data.replace(/\d+/, number + 1);
      }
    }
    row.querySelector(".evidence")?.replaceChildren();
    for (const each of last.querySelectorAll("[data-key]")) delete each.dataset.key;
    last.after(row);
    row.querySelector("textarea, input:not([type=hidden])").focus();
    return row;
  }
}

class Reasons extends Rows {
  begin(signal) {
    const bench = this.closest("x-workbench");
    bench?.addEventListener("evidence", (event) => this.add(event.detail), { signal });
    bench?.addEventListener("restored", () => this.showAll(), { signal });
    this.addEventListener("focusin", (event) => {
      this.current = event.target.closest("fieldset") ?? this.current;
    }, { signal });
    this.addEventListener("click", (event) => this.removed(event), { signal });
    this.showAll();
  }

  // What is marked on the page becomes evidence; else the next reason is written.
  write(marked) {
    this.closest("details").open = true;
    if (marked) this.add(marked);
    const rows = this.rows();
    const row = (marked && this.current) || rows.find((each) => !this.text(each).value) || rows.at(-1);
    this.text(row).focus();
  }

  text(row) {
    return row.querySelector('[name$=".text"]');
  }

  marks(row) {
    try {
      return JSON.parse(row.querySelector('[name$=".evidence"]').value || "[]");
    } catch {
      return [];
    }
  }

  add(evidence) {
    this.closest("details").open = true;
    const rows = this.rows();
    const row = this.current?.isConnected ? this.current
      : rows.find((each) => !this.text(each).value && !this.marks(each).length) ?? rows.at(-1);
    this.current = row;
    this.keep(row, [...this.marks(row), evidence]);
  }

  removed(event) {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    const row = button.closest("fieldset");
    this.keep(row, this.marks(row).toSpliced(Number(button.dataset.remove), 1));
    this.text(row).focus();
  }

  keep(row, marks) {
    const field = row.querySelector('[name$=".evidence"]');
    field.value = marks.length ? JSON.stringify(marks) : "";
    this.show(row);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  showAll() {
    for (const row of this.rows()) this.show(row);
  }

  show(row) {
    row.querySelector(".evidence").replaceChildren(...this.marks(row).map((each, at) => {
      const item = document.createElement("li");
      const words = String(each.label ?? each.quote ?? each.text ?? each.kind);
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "chip", textContent: words.slice(0, 120) });
      button.dataset.remove = at;
      button.setAttribute("aria-label", `Take away the evidence “${words.slice(0, 120)}”`);
      item.append(button);
      return item;
    }));
  }
}

customElements.define("x-rows", Rows);
customElements.define("x-reasons", Reasons);
