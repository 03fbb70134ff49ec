// Two windows on one task: the second is told at once, and may go on instead of the first.

const WAIT_MS = 1500; // What the other window may take to save before this one goes on.

export class Tabs {
  constructor(bench, signal) {
    this.bench = bench;
    this.id = crypto.randomUUID?.() ?? String(Math.random());
    if (!("BroadcastChannel" in window)) return;
    this.channel = new BroadcastChannel("workbench");
    this.channel.addEventListener("message", ({ data }) => this.heard(data), { signal });
    signal.addEventListener("abort", () => this.channel.close());
    this.tell("opened");
  }

  tell(what, to) {
    this.channel?.postMessage({ what, claim: this.bench.dataset.claim, from: this.id, to });
  }

  async heard({ what, claim, from, to }) {
    if (claim !== this.bench.dataset.claim || (to && to !== this.id)) return;
    if (what === "opened" && !this.bench.resting) this.tell("here", from);
    if (what === "here" && !this.bench.changedHere()) {
      this.bench.rest("This task is open in another window.");
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
    await Promise.race([given, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
    location.reload();
  }
}
