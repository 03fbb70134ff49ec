// Two windows on one task: the second is told at once, and may go on instead of the first. A lock
// of the browser says who has it, also where the other window sleeps; a lock ends with its window.

const WAIT_MS = 1500; // What the other window may take to answer, or to save before this one goes on.

const soon = () => new Promise((resolve) => setTimeout(resolve, WAIT_MS));

export class Tabs {
  constructor(bench, signal) {
    this.bench = bench;
    this.id = crypto.randomUUID?.() ?? String(Math.random());
    this.answered = new Promise((resolve) => { this.isThere = resolve; });
    this.released = new Promise((resolve) => { this.release = resolve; });
    signal.addEventListener("abort", () => this.release());
    if (!("BroadcastChannel" in window)) return;
    this.channel = new BroadcastChannel("workbench");
    this.channel.addEventListener("message", ({ data }) => this.heard(data), { signal });
    signal.addEventListener("abort", () => this.channel.close());
    this.tell("opened");
  }

  // Whether no other window has this task; the first question of a page.
  alone() {
    if (!navigator.locks || !this.channel) return Promise.resolve(true);
    const mine = new Promise((resolve) => {
      const had = () => { resolve(true); return this.released; };
      navigator.locks.request(`task:${this.bench.dataset.claim}`, had).catch(() => resolve(true));
    });
    // A window that is being closed or loaded again lets go within moments.
    return Promise.race([mine, this.answered.then(() => false), soon().then(() => false)]);
  }

  tell(what, to) {
    this.channel?.postMessage({ what, claim: this.bench.dataset.claim, from: this.id, to });
  }

  async heard({ what, claim, from, to }) {
    if (claim !== this.bench.dataset.claim || (to && to !== this.id)) return;
    if (what === "opened" && !this.bench.resting) this.tell("here", from);
    if (what === "here") {
      this.isThere();
      // Without locks nothing else tells.
      if (!navigator.locks && !this.bench.drafts.typed) this.bench.restBehind();
    }
    if (what === "take") {
      await this.bench.drafts.save();
      this.bench.rest("You go on with this task in another window.");
      this.tell("given", from);
    }
    if (what === "given") this.given?.();
    if (what === "handed in") this.bench.rest("This task was handed in from another window.");
  }

  // Go on here: the other window saves first, then this one loads what was saved.
  async take() {
    const given = new Promise((resolve) => { this.given = resolve; });
    this.tell("take");
    await Promise.race([given, soon()]);
    location.reload();
  }
}
