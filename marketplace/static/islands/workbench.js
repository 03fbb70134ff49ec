// <x-workbench>: drafts, lease, time and keys around one task's form. The form itself is plain
// HTML and works without this file; each task type may add an island of its own inside.

import * as mirror from "./mirror.js";
import { Presence } from "./presence.js";

const QUIET_MS = 1200; // A pause in typing that is worth a revision.
const BEAT_MS = 30_000;
const INTERVALS_MAX = 100;
const TYPED = "textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])";
// In the zone of the person's profile, as the server writes it; the browser may be elsewhere.
const timeZone = document.querySelector("x-workbench")?.dataset.zone || undefined;
const clockTime = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone });

const timeWords = (seconds) =>
  seconds < 60 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min`;

class Workbench extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("#judgement");
    this.etag = this.dataset.etag;
    this.expires = Date.parse(this.dataset.expiresAt);
    this.stopped = new AbortController();
    // Clocks of other machines are wrong by minutes; all that is compared is told in the server's.
    this.ahead = Date.now() - (Date.parse(this.dataset.now) || Date.now());
    this.presence = new Presence(this.stopped.signal, this.ahead);
    this.recallTime();
    const { signal } = this.stopped;
    this.addEventListener("input", (event) => this.changed(event), { signal });
    document.addEventListener("keydown", (event) => this.pressed(event), { signal });
    document.addEventListener("visibilitychange", () => this.hide(), { signal });
    window.addEventListener("online", () => this.save(), { signal });
    // Before htmx reads the form, which listens on it as well.
    this.form.addEventListener("submit", () => this.submitting(), { signal, capture: true });
    for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
      this.form.addEventListener(name, () => this.notSubmitted(), { signal });
    }
    document.addEventListener("htmx:beforeSwap", (event) => this.answered(event), { signal });
    this.beats = setInterval(() => this.beat(), BEAT_MS);
    this.ticks = setInterval(() => this.showLease(), 15_000);
    this.showLease();
    this.recallDrawers(signal);
    this.fillKeys();
    this.restore();
    // After a swap nothing has looked for what must be read first.
    this.querySelector("[data-focus]")?.focus();
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
    all.delete("intervals");
    return all;
  }

  changed(event) {
    if (!event.target.form || event.target.form !== this.form) return;
    this.changedAt = this.clock();
    mirror.keep(this.dataset.claim, [...this.fields()], this.changedAt);
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
    if (document.visibilityState === "visible") this.beat();
    else if (this.changedAt) this.save();
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
    this.unsaved = this.changedAt;
    this.changedAt = 0;
    this.taken = [...(this.taken ?? []), ...this.presence.take()];
    this.form.elements.intervals.value = JSON.stringify(this.taken.slice(-INTERVALS_MAX));
  }

  // The network or the server failed: the answer is still here, and so is its time.
  notSubmitted() {
    this.recallTime();
    this.changedAt = this.unsaved || this.clock();
    mirror.keep(this.dataset.claim, [...this.fields()], this.changedAt);
    this.timer = setTimeout(() => this.save(), QUIET_MS);
  }

  // Time that a refused submission carried was not booked; it is reported again.
  recallTime() {
    const field = this.form.elements.intervals;
    this.taken = undefined;
    try {
      this.presence.giveBack(JSON.parse(field.value || "[]"));
    } catch {
      // What cannot be read is nobody's time.
    }
    field.value = "";
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

  // The lease renews while somebody works: an open window that nobody looks at keeps no task.
  async beat() {
    this.showLease();
    const idle = this.presence.now() === "idle";
    if (idle && this.rests) return;
    this.rests = idle;
    const intervals = this.presence.take();
    try {
      const answer = await fetch(this.dataset.heartbeatUrl, {
        method: "POST",
        headers: { ...this.token(), "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ fence: Number(this.dataset.fence), intervals }),
      });
      if (answer.status === 409) this.lost((await answer.json()).detail);
      if (!answer.ok) throw new Error(String(answer.status));
      this.lostWords = "";
      this.expires = Date.parse((await answer.json()).expires_at);
      this.showLease();
    } catch {
      this.presence.giveBack(intervals);
    }
  }

  lost(words) {
    if (this.lostWords === words) return;
    this.lostWords = words;
    this.expires = 0;
    this.showLease();
    this.say(words, "waiting");
  }

  // Now, as the server's clock has it.
  clock() {
    return Date.now() - this.ahead;
  }

  showLease() {
    const left = Math.max(0, (this.expires - this.clock()) / 1000);
    const counted = Number(this.dataset.counted) + this.presence.workedSoFar() / 1000;
    this.querySelector("[data-time]").textContent = `${timeWords(counted)} counted`;
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
