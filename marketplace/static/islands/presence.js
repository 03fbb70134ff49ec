// Time as intervals: active while there is input, reading while the page is looked at, research
// while its author has said that they look things up elsewhere, idle else.
// No content, no keys and no screenshots: only when something happened.

const READING_MS = 30_000; // Without input for this long, active turns into reading,
const IDLE_MS = 180_000; // and after this long, or out of sight, into idle.
const RESEARCH_MS = 1_800_000; // Looking things up ends by itself when nobody came back for it.
const KINDS = ["active", "reading", "research", "idle"];

export class Presence {
  // ahead: by how many milliseconds this machine's clock is before the server's.
  constructor(signal, ahead = 0) {
    this.ahead = ahead;
    this.since = Date.now();
    this.touched = Date.now();
    this.researching = false;
    this.resting = false; // Somebody has said that they pause; nothing counts meanwhile.
    this.kind = this.now();
    this.done = [];
    this.all = [];
    this.spent = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    const touch = () => { this.settle(); this.touched = Date.now(); this.settle(); };
    for (const name of ["pointerdown", "keydown", "wheel", "touchmove", "scroll"]) {
      document.addEventListener(name, touch, { signal, passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => this.settle(), { signal });
  }

  now() {
    const still = Date.now() - this.touched;
    if (this.resting) return "idle";
    if (this.researching && still <= RESEARCH_MS) return "research";
    this.researching = false;
    if (document.visibilityState === "hidden") return "idle";
    return still > IDLE_MS ? "idle" : still > READING_MS ? "reading" : "active";
  }

  // Whether the author looks things up elsewhere, from now on.
  research(on) {
    this.touched = Date.now();
    this.settle();
    this.researching = on;
    this.settle();
  }

  // Close the running interval when its kind is over.
  settle() {
    const kind = this.now();
    if (kind !== this.kind) this.close(kind);
  }

  close(next) {
    const at = Date.now();
    if (at > this.since) {
      const stretch = this.stretch(at);
      this.done = joined(this.done, stretch);
      this.all = joined(this.all, stretch);
      this.spent[this.kind] += at - this.since;
    }
    this.since = at;
    this.kind = next;
  }

  stretch(until) {
    return {
      kind: this.kind,
      started_at: new Date(this.since - this.ahead).toISOString(),
      ended_at: new Date(until - this.ahead).toISOString(),
    };
  }

  // Seconds of each kind since this page was opened.
  secondsByKind() {
    this.settle();
    const running = Date.now() - this.since;
    return Object.fromEntries(KINDS.map((kind) =>
      [kind, (this.spent[kind] + (kind === this.kind ? running : 0)) / 1000]));
  }

  // All stretches since this page was opened, the running one included.
  stretches() {
    this.settle();
    return Date.now() > this.since ? joined(this.all, this.stretch(Date.now())) : this.all;
  }

  // At most so many stretches up to now, to be sent; `giveBack` when they did not arrive.
  take(most = Infinity) {
    this.settle();
    this.close(this.now());
    const taken = this.done.slice(0, most);
    this.done = this.done.slice(taken.length);
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
