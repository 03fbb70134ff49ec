// The draft of one answer: saved a moment after each change, kept in this browser meanwhile, tried
// again until it arrives, and never written over what another window saved.

import * as mirror from "./mirror.js";

const QUIET_MS = 1200; // A pause in typing that is worth a revision.
const TRIES_MS = [2_000, 4_000, 8_000, 15_000, 30_000, 60_000];
// In the zone of the person's profile, as the server writes it; the browser may be elsewhere.
const timeZone = document.querySelector("x-workbench")?.dataset.zone || undefined;
const clockTime = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone });

export class Drafts {
  // bench: the form, its data, its clock, its words, and what to do when somebody must act.
  constructor(bench, signal) {
    this.bench = bench;
    this.etag = bench.dataset.etag;
    this.failed = 0;
    window.addEventListener("online", () => this.save(), { signal });
    window.addEventListener("offline", () => this.offline(), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  fields() {
    const all = new FormData(this.bench.form);
    for (const name of ["csrf_token", "next", "intervals"]) all.delete(name);
    return all;
  }

  keep() {
    this.changedAt = this.bench.clock();
    mirror.keep(this.bench.dataset.claim, [...this.fields()], this.changedAt);
  }

  changed() {
    this.keep();
    if (this.conflict) return;
    this.later(QUIET_MS);
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), milliseconds);
  }

  // Resolves to whether nothing is left to be saved.
  async save() {
    clearTimeout(this.timer);
    if (!this.changedAt) return true;
    if (this.conflict || this.bench.resting) return false;
    if (this.sending) return this.sending;
    this.sending = this.send();
    try {
      return await this.sending;
    } finally {
      this.sending = null;
      if (this.changedAt && !this.failed && !this.conflict) this.later(QUIET_MS);
    }
  }

  async send() {
    const upTo = this.changedAt;
    this.bench.say("saving…");
    try {
      const answer = await fetch(this.bench.dataset.draftUrl, {
        method: "PUT",
        headers: { ...this.bench.token(), "If-Match": this.etag, Accept: "application/json" },
        body: new URLSearchParams(this.fields()),
      });
      return await this.answered(answer, upTo);
    } catch {
      this.failed += 1;
      this.offline();
      this.again();
      return false;
    }
  }

  async answered(answer, upTo) {
    if (answer.ok) {
      const draft = await answer.json();
      this.failed = 0;
      this.etag = answer.headers.get("ETag") ?? this.etag;
      if (this.changedAt === upTo) this.changedAt = 0;
      this.bench.say(`saved ${clockTime.format(new Date(draft.saved_at))}, revision ${draft.revision}`);
      return true;
    }
    if (answer.status === 412) {
      this.conflict = answer.headers.get("ETag") ?? this.etag;
      this.bench.elsewhere();
    } else if (await this.bench.signedOut(answer)) {
      return this.send();
    } else {
      this.failed += 1;
      this.bench.say("kept in this browser; the server could not save it, and we keep trying", "waiting");
      this.again();
    }
    return false;
  }

  again() {
    this.later(TRIES_MS[Math.min(this.failed, TRIES_MS.length) - 1]);
  }

  offline() {
    if (!this.changedAt && navigator.onLine) return;
    this.bench.say("no network; what you do is kept in this browser and saved when it is back", "offline");
  }

  // What stands here goes on, on top of what the other window saved.
  takeOver() {
    this.etag = this.conflict ?? this.etag;
    this.conflict = null;
    this.changedAt ||= this.bench.clock();
    return this.save();
  }

  async restore() {
    const kept = await mirror.find(this.bench.dataset.claim);
    const savedAt = Date.parse(this.bench.dataset.savedAt) || 0;
    if (!kept || kept.at <= savedAt) return;
    const values = Map.groupBy ? Map.groupBy(kept.fields, ([name]) => name) : grouped(kept.fields);
    for (const control of this.bench.form.elements) {
      if (!control.name || control.type === "hidden" || control.type === "submit") continue;
      const said = (values.get(control.name) ?? []).map(([, value]) => value);
      if (control.type === "radio" || control.type === "checkbox") {
        control.checked = said.includes(control.value);
      } else if (said.length) control.value = said[0];
    }
    this.bench.dispatchEvent(new CustomEvent("restored"));
    this.bench.say("restored from this browser", "waiting");
    this.changedAt = kept.at;
    this.later(QUIET_MS);
  }

  // While a submission is under way nothing is saved; what it did not bring comes back.
  pause() {
    clearTimeout(this.timer);
    this.unsaved = this.changedAt;
    this.changedAt = 0;
  }

  resume() {
    this.changedAt = this.unsaved || this.bench.clock();
    mirror.keep(this.bench.dataset.claim, [...this.fields()], this.changedAt);
    this.later(QUIET_MS);
  }

  handedIn() {
    return mirror.drop(this.bench.dataset.claim);
  }
}

function grouped(fields) {
  const found = new Map();
  for (const field of fields) found.set(field[0], [...(found.get(field[0]) ?? []), field]);
  return found;
}
