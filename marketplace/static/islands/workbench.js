// <x-workbench>: drafts, lease, time and keys around one task's form. The form itself is plain
// HTML and works without this file; each task type may add an island of its own inside.

import * as mirror from "./mirror.js";
import { Presence } from "./presence.js";

const QUIET_MS = 1200; // A pause in typing that is worth a revision.
const BEAT_MS = 30_000;
const TYPED = "textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])";
const clockTime = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

class Workbench extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("#judgement");
    this.etag = this.dataset.etag;
    this.expires = Date.parse(this.dataset.expiresAt);
    this.stopped = new AbortController();
    this.presence = new Presence(this.stopped.signal);
    const { signal } = this.stopped;
    this.addEventListener("input", (event) => this.changed(event), { signal });
    document.addEventListener("keydown", (event) => this.pressed(event), { signal });
    document.addEventListener("visibilitychange", () => this.hide(), { signal });
    window.addEventListener("online", () => this.save(), { signal });
    this.form.addEventListener("htmx:beforeRequest", () => this.submitting(), { signal });
    document.addEventListener("htmx:beforeSwap", (event) => this.answered(event), { signal });
    this.beats = setInterval(() => this.beat(), BEAT_MS);
    this.ticks = setInterval(() => this.showLease(), 15_000);
    this.showLease();
    this.recallDrawers(signal);
    this.fillKeys();
    this.restore();
    mirror.sweep();
  }

  disconnectedCallback() {
    this.stopped.abort();
    clearInterval(this.beats);
    clearInterval(this.ticks);
    clearTimeout(this.timer);
  }

  // --- drafts ---------------------------------------------------------------------------------

  fields() {
    const all = new FormData(this.form);
    all.delete("csrf_token");
    all.delete("next");
    return all;
  }

  changed(event) {
    if (!event.target.form || event.target.form !== this.form) return;
    this.changedAt = Date.now();
    mirror.keep(this.dataset.claim, [...this.fields()]);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), QUIET_MS);
  }

  async save() {
    clearTimeout(this.timer);
    if (!this.changedAt || this.sending) return;
    const upTo = this.changedAt;
    this.sending = true;
    try {
      const answer = await fetch(this.dataset.draftUrl, {
        method: "PUT",
        headers: { ...this.token(), "If-Match": this.etag, Accept: "application/json" },
        body: new URLSearchParams(this.fields()),
      });
      await this.saved(answer, upTo);
    } catch {
      this.say("kept in this browser; the network does not answer", "offline");
    } finally {
      this.sending = false;
    }
    if (this.changedAt && this.changedAt > upTo) this.timer = setTimeout(() => this.save(), QUIET_MS);
  }

  async saved(answer, upTo) {
    if (answer.ok) {
      const draft = await answer.json();
      this.etag = answer.headers.get("ETag") ?? draft.etag ?? this.etag;
      if (this.changedAt === upTo) this.changedAt = 0;
      this.say(`saved ${clockTime.format(new Date(draft.saved_at))}, revision ${draft.revision}`);
    } else if (answer.status === 412) {
      this.etag = answer.headers.get("ETag") ?? this.etag;
      this.say("changed in another window; what you type here is kept in this browser", "waiting");
    } else if (answer.status === 401) {
      this.say("you were signed out; kept in this browser until you sign in again", "waiting");
    } else {
      this.say("kept in this browser; the server could not save it", "waiting");
    }
  }

  async restore() {
    const kept = await mirror.find(this.dataset.claim);
    const savedAt = Date.parse(this.dataset.savedAt) || 0;
    if (!kept || kept.at <= savedAt) return;
    for (const [name, value] of kept.fields) {
      for (const control of this.form.elements) {
        if (control.name !== name || control.type === "hidden") continue;
        if (control.type === "radio" || control.type === "checkbox") {
          if (control.value === value) control.checked = true;
        } else control.value = value;
      }
    }
    this.dispatchEvent(new CustomEvent("restored"));
    this.say("restored from this browser", "waiting");
    this.changedAt = kept.at;
    this.timer = setTimeout(() => this.save(), QUIET_MS);
  }

  hide() {
    if (document.visibilityState === "hidden" && this.changedAt) this.save();
  }

  say(words, state = "") {
    const place = this.querySelector("[data-saved]");
    place.textContent = words;
    place.dataset.state = state;
  }

  token() {
    return { "X-CSRFToken": this.form.elements.csrf_token?.value ?? "" };
  }

  // --- submission -----------------------------------------------------------------------------

  submitting() {
    clearTimeout(this.timer);
    this.changedAt = 0;
  }

  answered(event) {
    const { xhr, requestConfig, serverResponse } = event.detail;
    if (requestConfig?.elt !== this.form || xhr.status >= 400) return;
    mirror.drop(this.dataset.claim);
    // The next task takes this one's place, in the history too; any other page wants its own
    // sheets and scripts.
    if (serverResponse.includes("<x-workbench")) history.replaceState(null, "", xhr.responseURL);
    else {
      event.detail.shouldSwap = false;
      location.assign(xhr.responseURL);
    }
  }

  // --- lease and time -------------------------------------------------------------------------

  async beat() {
    this.showLease();
    const intervals = this.presence.take();
    try {
      const answer = await fetch(this.dataset.heartbeatUrl, {
        method: "POST",
        headers: { ...this.token(), "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ fence: Number(this.dataset.fence), intervals }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      this.expires = Date.parse((await answer.json()).expires_at);
      this.showLease();
    } catch {
      this.presence.giveBack(intervals);
    }
  }

  showLease() {
    const left = Math.max(0, (this.expires - Date.now()) / 1000);
    const minutes = Math.floor(left / 60);
    const words = left <= 0 ? "lease ended; your work still counts if the seat is free"
      : minutes < 1 ? "under a minute left"
      : `${minutes} ${minutes === 1 ? "minute" : "minutes"} left`;
    this.querySelector(".lease progress").value = left;
    this.querySelector("[data-lease]").textContent = words;
  }

  // --- keys -----------------------------------------------------------------------------------

  pressed(event) {
    if (document.querySelector("dialog[open]")) return;
    const inField = event.target.matches?.(TYPED);
    if (event.key === "Escape" && inField) { event.target.blur(); return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { this.submit(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inField) return;
    if (event.key === "Enter") {
      if (!event.target.closest?.("button, a, summary")) this.submit(event);
      return;
    }
    const control = this.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!control) return;
    event.preventDefault();
    if (control.matches(TYPED)) {
      control.focus();
      control.setSelectionRange?.(control.value.length, control.value.length);
    }
    else control.click();
    if (control.type === "radio" || control.type === "checkbox") control.focus({ preventScroll: true });
  }

  submit(event) {
    event.preventDefault();
    this.querySelector('[data-key="enter"]').click();
  }

  fillKeys() {
    const place = document.querySelector("[data-page-keys]");
    place?.replaceChildren(this.querySelector("[data-keys]").content.cloneNode(true));
  }

  recallDrawers(signal) {
    for (const drawer of this.querySelectorAll("details[data-remember]")) {
      const key = `drawer:${drawer.dataset.remember}`;
      try {
        const was = localStorage.getItem(key);
        if (was) drawer.open = was === "open";
        drawer.addEventListener("toggle", () =>
          localStorage.setItem(key, drawer.open ? "open" : "closed"), { signal });
      } catch {
        return;
      }
    }
  }
}

customElements.define("x-workbench", Workbench);
