// The draft of one answer: saved a moment after each change, kept in this browser meanwhile, tried
// again until it arrives, and never written over what another window saved.

import { dirty, fill, reads, same } from "./fields.js";
import * as mirror from "./mirror.js";

const QUIET_MS = 1200; // A pause in typing that is worth a revision.
const TRIES_MS = [2_000, 4_000, 8_000, 15_000, 30_000, 60_000];
const PARTING_MAX = 60_000; // A page that is left may still send this many bytes, says Fetch.

export class Drafts {
  // bench: the form, its data, its clock, its words, and what to do when somebody must act.
  constructor(bench, signal) {
    this.bench = bench;
    const { claim, holder, etag, zone } = bench.dataset;
    Object.assign(this, { claim, holder, etag, failed: 0, beside: [] });
    // In the zone of the person's profile, as the server writes it; the browser may be elsewhere.
    this.time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: zone || undefined });
    // Read before anything is written over it.
    this.found = Promise.all([mirror.find(claim, holder), mirror.find(this.asideName, holder)]);
    // The browser's own memory of fields would put old words over those that the server shows.
    bench.form.autocomplete = "off";
    this.served = reads(bench.form);
    window.addEventListener("online", () => this.save(), { signal });
    window.addEventListener("offline", () => this.offline(), { signal });
    window.addEventListener("pagehide", () => this.part(), { signal });
    window.addEventListener("beforeunload", (event) => this.warn(event), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.timer));
    // Typed while this file was on its way, or sent with faults: nobody else has it.
    if (dirty(bench.form) || "unsaved" in bench.dataset) this.changed();
  }

  get asideName() {
    return `${this.claim}:aside`;
  }

  // What stands in the form, and what could not be shown in it yet.
  fields() {
    const { elements } = this.bench.form;
    return [...reads(this.bench.form), ...this.beside.filter(([name]) => !elements.namedItem(name))];
  }

  copy() {
    const { claim, holder, etag, flying } = this;
    return { claim, holder, fields: this.fields(), etag, flying, at: this.changedAt };
  }

  async keep() {
    this.kept = await mirror.keep(this.copy());
    if (!this.kept && this.failed) this.trouble("we keep trying to save it", "waiting");
  }

  changed() {
    this.typed = true;
    this.changedAt = this.bench.clock();
    this.keep();
    if (this.conflict) return;
    if (!this.failed && !this.sending) this.bench.say("not saved yet");
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

  // What went out and was not answered goes out again as it was: it may have arrived, and then the
  // server says so instead of taking it for another window's.
  async send() {
    if (!this.flying) Object.assign(this, { flying: this.fields(), flownAt: this.changedAt });
    const body = new URLSearchParams([...this.flying, ["fence", this.bench.dataset.fence]]).toString();
    this.bench.say("saving…");
    try {
      const answer = await fetch(this.bench.dataset.draftUrl, {
        method: "PUT",
        headers: {
          ...this.bench.token(), "If-Match": this.etag, Accept: "application/json",
          "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
        },
        body,
        keepalive: body.length < PARTING_MAX,
      });
      return await this.answered(answer);
    } catch {
      this.failed += 1;
      this.offline();
      this.again();
      return false;
    }
  }

  async answered(answer) {
    if (answer.ok) {
      this.arrived(await answer.json(), answer.headers.get("ETag") ?? this.etag);
      return true;
    }
    if (answer.status === 412) {
      this.flying = undefined;
      this.conflict = answer.headers.get("ETag") ?? this.etag;
      this.bench.elsewhere();
    } else if (await this.bench.signedOut(answer)) {
      return this.send();
    } else {
      this.failed += 1;
      this.trouble("the server could not save it, and we keep trying", "waiting");
      this.again();
    }
    return false;
  }

  arrived(draft, etag) {
    this.failed = 0;
    this.etag = etag;
    this.flying = undefined;
    if (this.changedAt === this.flownAt) {
      this.changedAt = 0;
      mirror.drop(this.claim, this.flownAt);
    } else if (this.changedAt) this.keep();
    this.bench.say(`saved ${this.time.format(new Date(draft.saved_at))}, revision ${draft.revision}`);
    // Rows that the form has no place for: the server draws them.
    if (this.beside.length && !this.changedAt) location.reload();
  }

  again() {
    this.later(TRIES_MS[Math.min(this.failed, TRIES_MS.length) - 1]);
  }

  offline() {
    if (!this.changedAt && navigator.onLine) return;
    this.trouble("no network; it is saved when that is back", "offline");
  }

  trouble(words, state) {
    this.bench.say(this.kept === false
      ? `not saved, and this browser keeps no copy, so leave this window open: ${words}`
      : `kept in this browser; ${words}`, state);
  }

  // --- a page that goes away ------------------------------------------------------------------

  // It may be gone before its database has written, and before an answer comes.
  part() {
    if (!this.changedAt || this.bench.resting) return;
    this.save();
    mirror.keepAtOnce(this.copy());
  }

  // Only where the words are nowhere else.
  warn(event) {
    if (!this.changedAt || this.bench.resting || this.kept !== false) return;
    if (!mirror.keepAtOnce(this.copy())) event.preventDefault();
  }

  // --- what this browser kept ------------------------------------------------------------------

  // What was typed upon the revision that is shown, or upon the one before by this very browser,
  // comes back; any other copy is offered, and the revision that is shown stays.
  async restore() {
    const [kept, aside] = await this.found;
    if (this.bench.resting) return;
    if (aside && !same(aside.fields, this.served)) this.offer(aside);
    if (!kept) return;
    const own = kept.etag === this.etag || (kept.flying && same(kept.flying, this.served));
    if (own && !this.typed) this.bringBack(kept);
    else if (same(kept.fields, this.served)) this.changedAt || mirror.drop(this.claim, kept.at);
    else {
      mirror.keep({ ...kept, claim: this.asideName });
      if (!this.changedAt) mirror.drop(this.claim, kept.at);
      this.offer(kept);
    }
  }

  bringBack(kept) {
    this.beside = fill(this.bench.form, kept.fields);
    this.bench.dispatchEvent(new CustomEvent("restored"));
    this.bench.say("restored from this browser", "waiting");
    this.changedAt = this.typed ? this.bench.clock() : kept.at;
    this.keep();
    // At once: what the last page sent on its way out may arrive only now, and says the same.
    return this.save();
  }

  offer(kept) {
    const settled = () => mirror.drop(this.asideName);
    this.bench.tell(
      `This browser kept an answer that you typed at ${this.time.format(new Date(kept.at))}; what stands here was saved elsewhere.`,
      ["Bring it back", () => { this.typed = true; this.bringBack(kept); settled(); }],
      ["Leave it", settled],
    );
  }

  // What stands here goes on, on top of what the other window saved.
  takeOver() {
    this.etag = this.conflict ?? this.etag;
    this.flying = undefined;
    this.conflict = null;
    this.changedAt ||= this.bench.clock();
    return this.save();
  }

  // While a submission is under way nothing is saved; what it did not bring comes back.
  pause() {
    clearTimeout(this.timer);
    this.unsaved = this.changedAt;
    this.changedAt = 0;
  }

  resume() {
    this.changedAt = this.unsaved || this.bench.clock();
    this.keep();
    this.later(QUIET_MS);
  }

  handedIn() {
    return Promise.all([mirror.drop(this.claim), mirror.drop(this.asideName)]);
  }
}
