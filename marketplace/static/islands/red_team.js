// <x-welfare>: what protects those who read harmful material: curtains that one key draws and
// closes, a pause that hides everything, counts no time and keeps the task, and the way out.
// Curtains and the way out work without this file.

import { keyOf, typing } from "./keys.js";

const BEAT_MS = 30_000;
const PAUSE_MOST_MS = 2 * 3600 * 1000;

class Welfare extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.bench = this.closest("x-workbench");
    this.dialog = this.querySelector("dialog");
    this.seen = new Set();
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    // Before the workbench, which else clicks the first curtain only.
    document.addEventListener("keydown", (event) => this.pressed(event), { signal, capture: true });
    this.dialog.addEventListener("close", () => this.resumed(), { signal });
    this.bench?.addEventListener("conversation", () => this.veilReplies(), { signal });
    this.bench?.addEventListener("click", (event) => this.unveiled(event), { signal });
    this.bench?.addEventListener("submit", (event) => this.leaving(event), { signal });
    this.veilReplies();
  }

  disconnectedCallback() {
    this.stopped.abort();
    clearInterval(this.beats);
  }

  clicked(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "pause") this.pause();
    else if (act === "resume") this.dialog.close();
    else if (act === "stop") this.stop();
    else if (event.target.closest("[data-stop]")) requestAnimationFrame(() => this.offer());
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]") || keyOf(event) !== "v") return;
    event.preventDefault();
    this.draw();
  }

  // --- curtains -------------------------------------------------------------------------------

  veils() {
    return [...(this.bench ?? document).querySelectorAll("[data-veil]")];
  }

  // The next curtain opens; once all are open, all of them close.
  draw() {
    const closed = this.veils().find((veil) => !veil.open);
    const reply = this.hidden()[0];
    if (closed) {
      closed.open = true;
      closed.querySelector("summary").scrollIntoView({ block: "nearest" });
      this.say("Shown. V hides it again.");
    } else if (reply) this.show(reply);
    else {
      this.hide();
      this.say("Hidden.");
    }
  }

  hide() {
    for (const veil of this.veils()) veil.open = false;
    this.seen.clear();
    this.veilReplies();
  }

  // --- replies of a live model ------------------------------------------------------------------

  replies() {
    if (this.dataset.each !== "true") return [];
    return [...(this.bench?.querySelectorAll("x-conversation [data-reply]") ?? [])];
  }

  hidden() {
    return this.replies().filter((reply) => reply.hasAttribute("data-veiled"));
  }

  // A reply is known by its words: the page is drawn anew after each turn.
  veilReplies() {
    for (const reply of this.replies()) {
      if (this.seen.has(reply.textContent) || reply.hasAttribute("data-veiled")) continue;
      reply.setAttribute("data-veiled", "");
      reply.inert = true;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button quiet", textContent: "Show the reply" });
      button.dataset.shows = "";
      reply.before(button);
    }
  }

  unveiled(event) {
    const button = event.target.closest("[data-shows]");
    if (button) this.show(button.nextElementSibling);
  }

  show(reply) {
    this.seen.add(reply.textContent);
    reply.removeAttribute("data-veiled");
    reply.inert = false;
    if (reply.previousElementSibling?.matches("[data-shows]")) reply.previousElementSibling.remove();
    this.say("Shown. V hides it again.");
  }

  // --- pause and stop ---------------------------------------------------------------------------

  pause() {
    this.hide();
    this.dialog.showModal();
    this.rest(true);
    const since = Date.now();
    this.beats = setInterval(() => {
      if (Date.now() - since < PAUSE_MOST_MS) this.keep();
      else clearInterval(this.beats);
    }, BEAT_MS);
    this.keep();
  }

  resumed() {
    clearInterval(this.beats);
    this.rest(false);
    this.say("You are back. What you had shown is hidden again.");
  }

  rest(on) {
    if (!this.bench?.presence) return;
    this.bench.presence.resting = on;
    this.bench.presence.settle();
  }

  // The lease renews while somebody works; here it does so because they rest.
  async keep() {
    if (!this.bench?.dataset.heartbeatUrl) return;
    try {
      await fetch(this.bench.dataset.heartbeatUrl, {
        method: "POST",
        headers: { ...this.bench.token(), "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ fence: Number(this.bench.dataset.fence), intervals: [] }),
      });
    } catch {
      // Without a network the lease may end; the draft stays, and so does the pay of what is done.
    }
  }

  stop() {
    this.dialog.close();
    document.getElementById("leave")?.showModal();
    this.offer();
  }

  // What was worked since the last beat is paid too: it is reported first.
  async leaving(event) {
    const form = event.target;
    if (!form.querySelector("[data-opt-out]")) return;
    event.preventDefault();
    await this.bench.beat?.();
    form.submit();
  }

  offer() {
    document.querySelector("#leave [data-opt-out]")?.focus();
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }
}

customElements.define("x-welfare", Welfare);
