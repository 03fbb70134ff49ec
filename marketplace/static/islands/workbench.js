// <x-workbench>: drafts, lease, time and keys around one task's form. The form itself is plain
// HTML and works without this file; each task type may add an island of its own inside.

import { Drafts } from "./drafts.js";
import { chosenRegion, selected } from "./evidence.js";
import "./instructions.js";
import { keyOf, labelOf, labelsKnown, typing } from "./keys.js";
import * as mirror from "./mirror.js";
import { Presence } from "./presence.js";
import "./reasons.js";
import { signInAgain } from "./sign_in.js";
import { Tabs } from "./tabs.js";
import { Timesheet, timeWords } from "./timesheet.js";

const BEAT_MS = 30_000;
const INTERVALS_MAX = 100;
const NARROW = matchMedia("(max-width: 900px)");

class Workbench extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("#judgement");
    this.expires = Date.parse(this.dataset.expiresAt);
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    // Clocks of other machines are wrong by minutes; all that is compared is told in the server's.
    this.ahead = Date.now() - (Date.parse(this.dataset.now) || Date.now());
    this.presence = new Presence(signal, this.ahead);
    this.recallTime();
    this.drafts = new Drafts(this, signal);
    this.tabs = new Tabs(this, signal);
    const sheet = this.querySelector("[data-timesheet]");
    this.timesheet = new Timesheet(sheet, this.presence, this.dataset.zone || undefined, signal);
    this.listen(signal);
    this.beats = setInterval(() => this.beat(), BEAT_MS);
    this.ticks = setInterval(() => this.showLease(), 15_000);
    this.showLease();
    this.recallDrawers(signal);
    this.showKeys();
    labelsKnown.then(() => this.showKeys());
    this.settle();
    // After a swap nothing has looked for what must be read first.
    this.querySelector("[data-focus]")?.focus();
    mirror.sweep();
  }

  disconnectedCallback() {
    this.stopped.abort();
    clearInterval(this.beats);
    clearInterval(this.ticks);
  }

  listen(signal) {
    this.addEventListener("input", (event) => {
      if (event.target.form === this.form) this.drafts.changed();
    }, { signal });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    document.addEventListener("keydown", (event) => this.pressed(event), { signal });
    document.addEventListener("visibilitychange", () => this.hide(), { signal });
    // Before htmx reads the form, which listens on it as well.
    this.form.addEventListener("submit", () => this.submitting(), { signal, capture: true });
    for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
      this.form.addEventListener(name, () => this.notSubmitted(), { signal });
    }
    this.form.addEventListener("htmx:beforeOnLoad", (event) => this.loaded(event), { signal });
    document.addEventListener("htmx:beforeSwap", (event) => this.answered(event), { signal });
  }

  async settle() {
    if (await this.tabs.alone()) this.drafts.restore();
    else this.restBehind();
  }

  // A page that is not looked at may be ended without another word.
  hide() {
    if (document.visibilityState === "visible") this.beat();
    else this.drafts.part();
  }

  // What is as usual is shown and not read out; trouble, and its end, are.
  say(words, state = "") {
    const place = this.querySelector("[data-saved]");
    place.ariaLive = state || place.dataset.state ? "polite" : "off";
    place.textContent = words;
    place.dataset.state = state;
  }

  token() {
    return { "X-CSRFToken": this.form.elements.csrf_token?.value ?? "" };
  }

  // Now, as the server's clock has it.
  clock() {
    return Date.now() - this.ahead;
  }

  // --- another window, another sign-in --------------------------------------------------------

  tell(words, ...buttons) {
    const box = this.querySelector("[data-callout]").content.firstElementChild.cloneNode(true);
    const inside = box.lastElementChild;
    inside.querySelector("p").textContent = words;
    for (const [label, act] of buttons) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      button.className = "button quiet";
      button.addEventListener("click", () => { box.remove(); act(); });
      inside.append(button, " ");
    }
    this.querySelector("[data-told]").replaceChildren(box);
    return box;
  }

  restBehind() {
    this.rest("This task is open in another window.");
  }

  // Nothing is written here while another window has the task.
  rest(words) {
    this.resting = true;
    this.tabs.release();
    this.presence.take();
    for (const part of this.querySelectorAll(".bench-work > :not([data-told]), .answerbar")) part.inert = true;
    this.tell(words, ["Work here", () => this.tabs.take()]).querySelector("button").focus();
    this.say("open in another window", "waiting");
  }

  elsewhere() {
    this.say("changed in another window; what you type here is kept in this browser", "waiting");
    this.tell(
      "This answer was changed and saved in another window or browser meanwhile.",
      ["Work here with what stands here", () => this.drafts.takeOver()],
      ["Load what was saved there", () => this.reloadWithout()],
    );
  }

  async reloadWithout() {
    await this.drafts.handedIn();
    this.drafts.changedAt = 0;
    location.reload();
  }

  // Whether this answer means that the sign-in ended, and it has begun again.
  async signedOut(answer) {
    if (answer.status !== 401 && answer.status !== 400) return false;
    this.say("you were signed out; kept in this browser until you sign in again", "waiting");
    const path = new URL(this.dataset.draftUrl, location).pathname.replace(/\/draft$/, "");
    const page = await signInAgain(path);
    const fresh = page?.querySelector("#judgement [name=csrf_token]")?.value;
    if (!fresh) return false;
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = fresh;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": fresh }));
    return true;
  }

  // --- submission -----------------------------------------------------------------------------

  submitting() {
    this.drafts.pause();
    this.taken = [...(this.taken ?? []), ...this.presence.take()];
    this.form.elements.intervals.value = JSON.stringify(this.taken.slice(-INTERVALS_MAX));
    this.say("handing in…");
  }

  // The network or the server failed: the answer is still here, and so is its time.
  notSubmitted() {
    this.recallTime();
    this.drafts.resume();
    this.say("not handed in yet; it is kept here. Submit again in a moment", "waiting");
  }

  // A sign-in that ended meanwhile is begun again in place, then the answer goes in.
  async loaded(event) {
    const { xhr } = event.detail;
    // Handed in, and htmx goes on to another page.
    if (xhr.status < 400 && xhr.getResponseHeader("HX-Redirect")) this.gone();
    if (xhr.status !== 401 && !(xhr.status === 400 && xhr.responseURL.endsWith("/submit"))) return;
    event.preventDefault();
    this.notSubmitted();
    if (await this.signedOut({ status: xhr.status })) this.submit(new Event("again"));
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
    this.gone();
    // The next task takes this one's place, in the history too; any other page wants its own
    // sheets and scripts.
    if (serverResponse.includes("<x-workbench")) history.replaceState(null, "", xhr.responseURL);
    else {
      event.detail.shouldSwap = false;
      location.assign(xhr.responseURL);
    }
  }

  gone() {
    this.drafts.handedIn();
    this.tabs.tell("handed in");
  }

  // --- lease and time -------------------------------------------------------------------------

  // The lease renews while somebody works: an open window that nobody looks at keeps no task.
  async beat() {
    this.showLease();
    if (this.resting) return;
    const idle = this.presence.now() === "idle";
    if (idle && this.idled) return;
    this.idled = idle;
    const intervals = this.presence.take(INTERVALS_MAX);
    try {
      const answer = await fetch(this.dataset.heartbeatUrl, {
        method: "POST",
        headers: { ...this.token(), "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ fence: Number(this.dataset.fence), intervals }),
      });
      if (answer.status === 409) this.lost((await answer.json()).detail);
      if (answer.status === 401 && !idle && await this.signedOut(answer)) this.drafts.save();
      if (!answer.ok) throw new Error(String(answer.status));
      const { expires_at, told } = await answer.json();
      this.lostWords = "";
      this.expires = Date.parse(expires_at);
      if (told && told !== this.toldOfJob) this.tell(told, ["I see", () => {}]);
      this.toldOfJob = told;
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

  showLease() {
    const left = Math.max(0, (this.expires - this.clock()) / 1000);
    this.querySelector("[data-time]").textContent = `${timeWords(this.timesheet.counted())} counted`;
    this.timesheet.show();
    this.showResearch();
    const minutes = Math.floor(left / 60);
    const words = left <= 0 ? "lease ended; your work still counts if the seat is free"
      : minutes < 1 ? "under a minute left"
      : `${minutes} ${minutes === 1 ? "minute" : "minutes"} left`;
    this.querySelector("[data-lease]").parentElement.querySelector("progress").value = left;
    this.querySelector("[data-lease]").textContent = words;
  }

  showResearch() {
    const on = this.presence.researching;
    this.querySelector('[data-action="research"]').setAttribute("aria-pressed", String(on));
    this.querySelector("[data-researching]").hidden = !on;
  }

  // --- keys and clicks ------------------------------------------------------------------------

  clicked(event) {
    const asked = event.target.closest("[data-action=research], [data-leaves], [data-opens=history]");
    if (!asked) return;
    if (asked.dataset.leaves) {
      event.preventDefault();
      this.leave(asked.dataset.leaves);
    } else if (asked.dataset.opens) this.showRevisions(asked.href);
    else {
      this.presence.research(!this.presence.researching);
      this.showResearch();
    }
  }

  leave(kind) {
    const panel = document.getElementById("leave");
    panel.showModal();
    panel.querySelector(`[name=kind][value=${kind}]`).checked = true;
    panel.querySelector("[name=evidence]").focus();
  }

  async showRevisions(address) {
    const place = this.querySelector("[data-revisions]");
    place.textContent = "Loading…";
    await this.drafts.save();
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true", Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...page.body.childNodes);
    } catch {
      place.textContent = "The network does not answer; your revisions are on the server.";
    }
  }

  pressed(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const inField = typing(event.target);
    if (event.key === "Escape" && inField) { event.target.blur(); return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { this.submit(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || inField || this.resting) return;
    if (event.key === "Enter") {
      if (!event.target.closest?.("button, a, summary")) this.submit(event);
      return;
    }
    const key = keyOf(event);
    // With Shift a key beside the letters is another sign, such as the question mark.
    if (!key || (event.shiftKey && !/^[a-z]$/.test(key))) return;
    if (key === "e") { this.reason(event); return; }
    const control = this.control(key);
    if (!control) return;
    event.preventDefault();
    if (typing(control)) this.write(control);
    else control.click();
    if (control.type === "radio" || control.type === "checkbox") control.focus({ preventScroll: true });
  }

  control(key) {
    const all = this.querySelectorAll(`[data-key="${CSS.escape(key)}"]`);
    return [...all].find((each) => !each.disabled && !each.closest("[inert]"));
  }

  write(control) {
    const folded = control.closest("details:not([open])");
    if (folded) folded.open = true;
    control.focus();
    if (control.type === "search") control.select();
    else control.setSelectionRange?.(control.value.length, control.value.length);
  }

  reason(event) {
    const reasons = this.querySelector("x-reasons");
    if (!reasons) return;
    event.preventDefault();
    reasons.write(selected(getSelection(), this) ?? chosenRegion(this));
  }

  submit(event) {
    event.preventDefault();
    this.querySelector('[data-key="enter"]').click();
  }

  // The keys as this person's keyboard and wishes have them, on controls and on the sheet.
  showKeys() {
    const place = document.querySelector("[data-page-keys]");
    place?.replaceChildren(this.querySelector("[data-keys]").content.cloneNode(true));
    for (const shown of place?.querySelectorAll("kbd") ?? []) relabel(shown);
    for (const control of this.querySelectorAll("[data-key]")) {
      const { key } = control.dataset;
      if (key === "enter") continue;
      control.setAttribute("aria-keyshortcuts", labelOf(key));
      const beside = control.closest("label, summary, button, a")?.querySelectorAll("kbd") ?? [];
      for (const shown of beside) if (sameKey(shown, key)) relabel(shown);
    }
  }

  recallDrawers(signal) {
    for (const drawer of this.querySelectorAll("details[data-remember]")) {
      const key = `drawer:${drawer.dataset.remember}`;
      // On a phone an open drawer lies over the task: it opens when it is asked for.
      if (NARROW.matches && drawer.matches(".instructions")) { drawer.open = false; continue; }
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

const defaultOf = (shown) => {
  shown.dataset.default ??= shown.textContent.trim().toLowerCase();
  return shown.dataset.default;
};
const sameKey = (shown, key) => defaultOf(shown) === key;
const relabel = (shown) => {
  if (defaultOf(shown).length === 1) shown.textContent = labelOf(shown.dataset.default);
};

customElements.define("x-workbench", Workbench);
