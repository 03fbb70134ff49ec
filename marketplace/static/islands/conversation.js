// <x-conversation>: a conversation with models, turn by turn, without loading the page anew. The
// server draws each step; this sends the form to where its button leads, and puts the answer in
// this place. Without this file the same buttons load the page.
//
// After each step it fires `conversation` with {state, turn}, and `input`, so that the draft is
// saved without the words that were said.

import { typing } from "./keys.js";

const LOOK_MS = 1500; // Between looks at a reply that another request waits for.
const RETRY_MS = 3000; // Before a turn that found no place asks again.
const PARTS = "[data-talk]";

class Conversation extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    // Before the workbench, for which these keys hand the whole task in.
    document.addEventListener("keydown", (event) => this.pressed(event), { signal, capture: true });
    this.wait();
  }

  disconnectedCallback() {
    this.stopped?.abort();
    clearTimeout(this.timer);
  }

  get form() {
    return this.closest("form");
  }

  get bench() {
    return this.closest("x-workbench");
  }

  clicked(event) {
    const button = event.target.closest(PARTS);
    if (!button || this.bench?.resting) return;
    event.preventDefault();
    this.step(button);
  }

  pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (event.target.name !== "saying" || !this.contains(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // An empty field has nothing to say: then the keys mean what they mean elsewhere.
    if (event.target.value.trim()) this.querySelector("[data-talk=say]")?.click();
    else this.bench?.submit(event);
  }

  async step(button) {
    if (this.busy) return;
    const body = new FormData(this.form);
    if (button.name) body.set(button.name, button.value);
    if (button.dataset.talk === "say" && !String(body.get("saying")).trim()) {
      this.querySelector("[name=saying]").focus();
      return;
    }
    this.hold(true, button);
    await this.send(button.getAttribute("formaction"), { method: "POST", body: new URLSearchParams(body) });
    this.hold(false, button);
  }

  async send(address, options = {}) {
    try {
      let answer = await this.fetched(address, options);
      if (await this.bench?.signedOut?.(answer)) {
        options.body?.set("csrf_token", this.form.elements.csrf_token.value);
        answer = await this.fetched(address, options);
      }
      const text = await answer.text();
      if (!text.includes("<x-conversation")) throw new Error(String(answer.status));
      this.draw(text);
    } catch {
      this.trouble();
    }
  }

  fetched(address, options) {
    return fetch(address, { ...options, headers: { "HX-Request": "true", Accept: "text/html" } });
  }

  // While a step is under way no other begins; what is said is shown as being on its way.
  hold(on, button) {
    this.busy = on;
    this.setAttribute("aria-busy", String(on));
    for (const each of this.querySelectorAll(PARTS)) each.disabled = on;
    button.classList.toggle("under-way", on);
    const told = this.querySelector("[data-under-way]");
    if (told) told.hidden = !on;
  }

  trouble() {
    const words = "The network does not answer. What you typed stands here; try again.";
    let place = this.querySelector("[data-trouble]");
    if (!place) {
      place = document.createElement("p");
      place.className = "hint";
      place.dataset.trouble = "";
      place.setAttribute("role", "alert");
      this.append(place);
    }
    place.textContent = words;
    if (this.dataset.state === "waiting") this.wait();
  }

  draw(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.querySelector("x-conversation");
    const unsaid = this.querySelector("[name=saying]")?.value;
    const hadFocus = this.contains(document.activeElement) || document.activeElement === document.body;
    for (const name of this.getAttributeNames()) if (name.startsWith("data-")) this.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (name.startsWith("data-")) this.setAttribute(name, value);
    this.removeAttribute("aria-busy");
    this.busy = false;
    this.replaceChildren(...fresh.childNodes);
    const { state, turn } = this.dataset;
    // What was being typed while another window went on is not lost with its field.
    const field = this.querySelector("[name=saying]");
    if (field && !field.value && unsaid && this.querySelector(".callout")) field.value = unsaid;
    this.bench?.showKeys?.();
    if (hadFocus) this.focusNext(state);
    this.dispatchEvent(new CustomEvent("conversation", { bubbles: true, detail: { state, turn: Number(turn) } }));
    this.form.elements.fence.dispatchEvent(new Event("input", { bubbles: true }));
    this.wait();
  }

  // Where the next step is taken: the field, the first reply, or what is waited for.
  focusNext(state) {
    const place = state === "open" ? this.querySelector("[name=saying]")
      : state === "choosing" ? this.querySelector(".replies .scroll")
      : this.querySelector("[data-talk], #field-saying");
    place?.focus({ preventScroll: true });
    // The newest is what is read next.
    (this.querySelector(".turns > :last-child .message:last-of-type") ?? this).scrollIntoView({ block: "nearest" });
    if (typing(place)) place.scrollIntoView({ block: "nearest" });
  }

  // Another request waits for the reply, or this one found no place: look, or ask, in a moment.
  wait() {
    clearTimeout(this.timer);
    const { state, path } = this.dataset;
    if (state === "waiting") this.timer = setTimeout(() => this.send(path), LOOK_MS);
    else if (state === "unanswered" && "busy" in this.dataset) {
      this.timer = setTimeout(() => this.querySelector("[data-talk=ask]")?.click(), RETRY_MS);
    }
  }
}

customElements.define("x-conversation", Conversation);
