// The time of a task, shown before it is handed in: seconds by kind, the longer stretches, and a
// note to any of them.

const KINDS = ["active", "reading", "research", "idle"];
const WORDS = { active: "Hands on", reading: "Reading", research: "Looking things up", idle: "Away" };
const STRETCH_MS = 20_000; // Shorter stretches are not worth a note.
const SHOWN_MAX = 40;
const NOTE_MAX = 500;

export const timeWords = (seconds) =>
  seconds < 60 ? `${Math.floor(seconds)} s`
  : seconds < 3600 ? `${Math.floor(seconds / 60)} min`
  : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;

export class Timesheet {
  constructor(place, presence, timeZone, signal) {
    this.place = place;
    this.presence = presence;
    this.before = JSON.parse(place.dataset.seconds || "{}");
    this.earlier = JSON.parse(place.dataset.stretches || "[]");
    this.field = place.querySelector('[name="time_notes"]');
    this.time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone });
    place.addEventListener("toggle", () => this.show(), { signal });
    place.querySelector("[data-list]").addEventListener("input", () => this.write(), { signal });
    document.addEventListener("click", (event) => {
      if (place.open && !place.contains(event.target)) place.open = false;
    }, { signal });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && place.open) {
        place.open = false;
        place.querySelector("summary").focus();
      }
    }, { signal });
  }

  notes() {
    try {
      return JSON.parse(this.field.value || "[]");
    } catch {
      return [];
    }
  }

  seconds() {
    const here = this.presence.secondsByKind();
    return Object.fromEntries(KINDS.map((kind) => [kind, (this.before[kind] ?? 0) + here[kind]]));
  }

  counted() {
    const all = this.seconds();
    return all.active + all.reading + all.research;
  }

  show() {
    const all = this.seconds();
    for (const kind of KINDS) {
      this.place.querySelector(`[data-kind="${kind}"]`).textContent = timeWords(all[kind]);
    }
    if (!this.place.open) return;
    const notes = this.notes();
    const long = [...this.earlier, ...this.presence.stretches()].filter(
      (each) => Date.parse(each.ended_at) - Date.parse(each.started_at) >= STRETCH_MS);
    const list = this.place.querySelector("[data-list]");
    // While somebody writes a note, the list stays as it is.
    if (list.contains(document.activeElement)) return;
    list.replaceChildren(...long.slice(-SHOWN_MAX).map((each) => this.row(each, notes)));
  }

  row(stretch, notes) {
    const line = document.createElement("li");
    const label = document.createElement("label");
    const from = this.time.format(new Date(stretch.started_at));
    const to = this.time.format(new Date(stretch.ended_at));
    label.textContent = `${WORDS[stretch.kind]}, ${from} to ${to}`;
    const input = document.createElement("input");
    Object.assign(input, { type: "text", maxLength: NOTE_MAX, placeholder: "A note" });
    input.value = notes.find((each) => each.started_at === stretch.started_at)?.note ?? "";
    input.stretch = stretch;
    label.append(input);
    line.append(label);
    return line;
  }

  write() {
    const shown = [...this.place.querySelectorAll("[data-list] input")];
    const starts = new Set(shown.map((input) => input.stretch.started_at));
    const others = this.notes().filter((each) => !starts.has(each.started_at));
    const written = shown.filter((input) => input.value.trim())
      .map((input) => ({ ...input.stretch, note: input.value.trim() }));
    this.field.value = JSON.stringify([...others, ...written]);
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
