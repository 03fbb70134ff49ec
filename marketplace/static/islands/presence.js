// Time as intervals: active while there is input, reading while the page is looked at, idle else.
// No content, no keys and no screenshots: only when something happened.

const READING_MS = 30_000; // Without input for this long, active turns into reading,
const IDLE_MS = 180_000; // and after this long, or out of sight, into idle.

export class Presence {
  // ahead: by how many milliseconds this machine's clock is before the server's.
  constructor(signal, ahead = 0) {
    this.ahead = ahead;
    this.since = Date.now();
    this.touched = Date.now();
    this.kind = this.now();
    this.done = [];
    this.worked = 0;
    const touch = () => { this.settle(); this.touched = Date.now(); this.settle(); };
    for (const name of ["pointerdown", "keydown", "wheel", "touchmove", "scroll"]) {
      document.addEventListener(name, touch, { signal, passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => this.settle(), { signal });
  }

  now() {
    if (document.visibilityState === "hidden") return "idle";
    const still = Date.now() - this.touched;
    return still > IDLE_MS ? "idle" : still > READING_MS ? "reading" : "active";
  }

  // Close the running interval when its kind is over.
  settle() {
    const kind = this.now();
    if (kind !== this.kind) this.close(kind);
  }

  close(next) {
    const at = Date.now();
    if (at > this.since) {
      this.done = joined(this.done, {
        kind: this.kind,
        started_at: new Date(this.since - this.ahead).toISOString(),
        ended_at: new Date(at - this.ahead).toISOString(),
      });
      if (this.kind !== "idle") this.worked += at - this.since;
    }
    this.since = at;
    this.kind = next;
  }

  // Milliseconds of work since this page was opened.
  workedSoFar() {
    this.settle();
    return this.worked + (this.kind === "idle" ? 0 : Date.now() - this.since);
  }

  // Everything up to now, to be sent; `giveBack` when it did not arrive.
  take() {
    this.settle();
    this.close(this.now());
    const taken = this.done;
    this.done = [];
    return taken;
  }

  giveBack(intervals) {
    this.done = [...intervals, ...this.done].reduce(joined, []);
  }
}

// Stretches of one kind that touch are one: hours without a network stay a short list.
function joined(list, next) {
  const last = list.at(-1);
  if (last?.kind !== next.kind || last.ended_at !== next.started_at) return [...list, next];
  return [...list.slice(0, -1), { ...last, ended_at: next.ended_at }];
}
