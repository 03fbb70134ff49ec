// The outline of a run: a line for each step, and a strip with all of them at once.

import { VirtualList } from "./virtual.js";

const LINE = 28;
const SIGNS = { wrong: "✕", neutral: "–", right: "✓", recovered: "↺", failed: "!", "": "" };
const COLOURS = ["wrong", "neutral", "right", "recovered", "failed", "quiet"];

export class Outline {
  // run: {total, facts(i), state(i), current, isFirstError(i), go(i)}.
  constructor(run, place, strip, signal) {
    Object.assign(this, { run, place, strip });
    this.lines = place && new VirtualList(place.parentElement, place, {
      count: run.total, estimate: () => LINE, make: (i) => this.line(i), signal,
    });
    strip?.addEventListener("click", (event) => {
      run.go(Math.floor((event.offsetY / strip.clientHeight) * run.total));
    }, { signal });
    window.addEventListener("resize", () => this.paintSoon(), { signal });
    signal.addEventListener("abort", () => cancelAnimationFrame(this.frame));
    this.paintSoon();
  }

  line(i) {
    const { label, kind, agent } = this.run.facts(i) ?? {};
    const state = this.run.state(i);
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.className = "run-line";
    button.dataset.state = state;
    if (this.run.current === i) button.setAttribute("aria-current", "step");
    const first = this.run.isFirstError(i) ? ", the first error" : "";
    const words = [kind ?? "not loaded yet", agent].filter(Boolean).join(", ");
    button.setAttribute("aria-label", `Step ${i + 1}, ${words}${state && `, ${state}`}${first}`);
    for (const [name, text] of [
      ["number", String(i + 1)], ["name", label || kind || "…"], ["sign", first ? "⚑" : SIGNS[state]],
    ]) {
      const span = document.createElement("span");
      span.className = name;
      span.textContent = text;
      button.append(span);
    }
    button.addEventListener("click", () => this.run.go(i));
    // A list item around it, since the place of a button in a set cannot be told.
    const item = document.createElement("div");
    item.setAttribute("role", "listitem");
    item.append(button);
    return item;
  }

  changed(...indexes) {
    for (const i of indexes) if (i >= 0) this.lines?.refresh(i);
    this.paintSoon();
  }

  show(i) {
    if (this.place?.parentElement.clientHeight) this.lines.show(i);
  }

  paintSoon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  // The strip is for the eye; the lines say the same.
  paint() {
    const { strip, run } = this;
    const height = strip?.clientHeight;
    if (!height) return;
    this.colours ??= this.computed();
    const scale = window.devicePixelRatio || 1;
    [strip.width, strip.height] = [12 * scale, height * scale];
    const ink = strip.getContext("2d");
    ink.scale(scale, scale);
    const tall = height / run.total;
    for (let i = 0; i < run.total; i += 1) {
      const state = run.state(i);
      if (!state && i !== run.current) continue;
      ink.fillStyle = this.colours[state || "quiet"];
      ink.fillRect(state === "right" ? 4 : 1, i * tall, state === "right" ? 4 : 10, Math.max(tall, 1.5));
    }
    ink.fillStyle = this.colours.quiet;
    ink.fillRect(0, run.current * tall - 1, 12, 3);
  }

  // Colours as the page's sheet has them, in the present theme.
  computed() {
    const found = {};
    for (const name of COLOURS) {
      // One element each: a colour that changes may be on its way from the one before.
      const probe = document.createElement("span");
      probe.className = `run-colour ${name}`;
      this.strip.parentElement.append(probe);
      found[name] = getComputedStyle(probe).color;
      probe.remove();
    }
    return found;
  }
}
