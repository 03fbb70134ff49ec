// <x-regions>: boxes, polygons and points on an image, by pointer, finger or keys alone. The form
// below works without this file, a row of numbers for each region; here all of them are kept in
// one hidden field as JSON, drawn on the picture, and listed beside it.

import { Canvas } from "./region_canvas.js";
import { RegionList } from "./region_list.js";
import {
  addCorner, bounds, boxBetween, dragHandle, fresh, move, moveCorner, resize, round, tidy, words,
} from "./region_shapes.js";
import { Tones } from "./region_tones.js";

const UNDO_MAX = 200;
const TOGETHER_MS = 900; // Steps of one key that are undone at once.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TYPED = "textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])";

class Regions extends HTMLElement {
  connectedCallback() {
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    this.asked = JSON.parse(this.dataset.asked);
    this.size = [Number(this.dataset.width), Number(this.dataset.height)];
    this.field = this.querySelector("[data-regions]");
    this.field.name = "regions_json";
    for (const rows of this.querySelectorAll("[data-rows]")) rows.remove();
    this.past = [];
    this.future = [];
    this.corner = -1;
    this.canvas = new Canvas(this.querySelector("svg.canvas"), this.size, this, signal);
    this.list = new RegionList(this.querySelector("[data-list]"), this.asked, {
      chosen: (id) => { this.choose(id); this.reveal(); },
      edited: (id, change) => this.change(() => change(this.find(id)), `field ${id}`),
      removed: (id) => this.remove(id),
    }, signal);
    this.addEventListener("click", (event) => this.pushed(event), { signal });
    this.tones = new Tones(this, this.canvas.image, signal);
    // Ahead of the workbench, which submits on Enter.
    document.addEventListener("keydown", (event) => this.pressed(event), { signal, capture: true });
    document.addEventListener("click", (event) => this.linked(event), { signal });
    this.querySelector("svg.canvas").addEventListener("mousedown", (event) => this.leaveFields(event), { signal });
    this.closest("x-workbench")?.addEventListener("restored", () => this.read(), { signal });
    this.setTool(matchMedia("(pointer: coarse)").matches ? "select" : this.kinds()[0]);
    this.setLabel(this.asked.labels[0].key);
    this.read();
  }

  disconnectedCallback() {
    this.stopped.abort();
    this.canvas.stop();
  }

  // --- what is kept ---------------------------------------------------------------------------

  read() {
    let kept = [];
    try {
      kept = JSON.parse(this.field.value || "[]");
    } catch {
      // A field that cannot be read is an empty one.
    }
    this.regions = (Array.isArray(kept) ? kept : []).map(tidy);
    this.show();
  }

  find = (id) => this.regions.find((region) => region.id === id);

  get chosen() {
    return this.find(this.chosenId);
  }

  // Every change goes through here: what was is kept for undo, what is goes into the form.
  change(act, name = "") {
    const before = JSON.stringify(this.regions);
    const repeated = name && name === this.lastName && performance.now() - this.lastAt < TOGETHER_MS;
    act();
    [this.lastName, this.lastAt] = [name, performance.now()];
    if (before === JSON.stringify(this.regions)) return;
    if (!repeated) this.past = [...this.past.slice(1 - UNDO_MAX), before];
    this.future = [];
    this.write();
  }

  write() {
    const nothing = this.field.form?.elements.nothing_to_mark;
    if (nothing && this.regions.length) nothing.checked = false;
    this.field.value = this.regions.length ? JSON.stringify(this.regions) : "[]";
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
    this.show();
  }

  step(from, to, said) {
    if (!from.length) { this.say(`Nothing to ${said}.`); return; }
    to.push(JSON.stringify(this.regions));
    this.regions = JSON.parse(from.pop());
    this.lastName = "";
    this.write();
    this.say(said === "undo" ? "Undone." : "Done again.");
  }

  show() {
    if (!this.chosen) [this.chosenId, this.corner] = ["", -1];
    const titles = new Map(this.asked.labels.map((label, at) => [label.key, [label.title, label.colour ?? at % 12]]));
    this.canvas.keepOnly(new Set(this.regions.map((region) => region.id)));
    for (const region of this.regions) {
      const [title, colour] = titles.get(region.label) ?? ["No label", 0];
      this.canvas.draw(region, title, colour);
    }
    this.canvas.choose(this.chosen, this.corner);
    this.list.show(this.regions, this.chosen);
    const number = this.regions.length;
    this.querySelector("[data-count]").textContent = String(number);
  }

  choose(id, corner = -1) {
    if (this.chosenId === id && this.corner === corner) return;
    [this.chosenId, this.corner] = [id, corner];
    this.canvas.choose(this.chosen, corner);
    this.list.choose(this.chosen);
  }

  reveal() {
    if (this.chosen) this.canvas.reveal(bounds(this.chosen));
  }

  say(text) {
    this.querySelector("[data-say]").textContent = text;
  }

  // --- tools ----------------------------------------------------------------------------------

  kinds(label = this.label) {
    return label?.kinds ?? ["box", "polygon", "point"];
  }

  setTool(tool) {
    this.tool = tool;
    this.abandon();
    this.dataset.tool = tool;
    for (const button of this.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
  }

  setLabel(key) {
    this.label = this.asked.labels.find((label) => label.key === key);
    for (const button of this.querySelectorAll("[data-label]")) {
      button.setAttribute("aria-pressed", String(button.dataset.label === key));
    }
    for (const button of this.querySelectorAll("[data-tool]")) {
      button.disabled = button.dataset.tool !== "select" && !this.kinds().includes(button.dataset.tool);
    }
    if (this.tool !== "select" && !this.kinds().includes(this.tool)) this.setTool(this.kinds()[0]);
  }

  pushed(event) {
    const button = event.target.closest("[data-tool], [data-label], [data-act]");
    if (!button || button === this) return;
    const { tool, label, act } = button.dataset;
    if (tool) this.setTool(tool);
    else if (label) this.labelled(label);
    else this.acts[act]?.();
    // Keys go on with the picture, not with the button that a key has pushed.
    if (event.detail === 0 && document.activeElement === button && this.chosen) this.canvas.focus(this.chosenId);
  }

  labelled(key) {
    this.setLabel(key);
    const { chosen } = this;
    // Who has just drawn one goes on to the next; who goes back to one means that one.
    if (chosen && chosen.id === this.fresh) { this.choose(""); return; }
    if (!chosen || chosen.label === key || !this.kinds().includes(chosen.kind)) return;
    this.change(() => { chosen.label = key; delete chosen.attributes; });
    this.say(`Now ${this.label.title}.`);
  }

  acts = {
    new: () => this.begin(),
    size: () => this.sizing(!this.sizes),
    corner: () => this.nextCorner(),
    add: () => this.moreCorners(),
    remove: () => this.remove(this.chosenId),
    undo: () => this.step(this.past, this.future, "undo"),
    redo: () => this.step(this.future, this.past, "redo"),
    in: () => this.canvas.zoom(1.5, this.middle()),
    out: () => this.canvas.zoom(1 / 1.5, this.middle()),
    fit: () => this.canvas.fit(),
    narrower: () => this.tones.step("window", -1),
    wider: () => this.tones.step("window", 1),
    darker: () => this.tones.step("level", 1),
    brighter: () => this.tones.step("level", -1),
  };

  middle() {
    if (!this.chosen) return undefined;
    const [x, y, w, h] = bounds(this.chosen);
    return [x + w / 2, y + h / 2];
  }

  freeId() {
    const used = new Set(this.regions.map((region) => region.id));
    let number = this.regions.length + 1;
    while (used.has(`r${number}`)) number += 1;
    return `r${number}`;
  }

  add(kind, shape, drawn = true) {
    const region = { id: this.freeId(), label: this.label.key, kind, ...shape };
    this.change(() => this.regions.push(region));
    this.choose(region.id);
    this.canvas.focus(region.id);
    this.fresh = drawn ? region.id : "";
    this.say(`${this.label.title}, ${words(region)}, added.`);
  }

  begin() {
    const kind = this.kinds().includes(this.tool) ? this.tool : this.kinds()[0];
    this.add(kind, fresh(kind, this.canvas.view, this.size), false);
    this.sizing(false);
  }

  sizing(on) {
    this.sizes = on;
    const button = this.querySelector("[data-act=size]");
    button.setAttribute("aria-pressed", String(on));
    this.say(on ? "Arrows change the size." : "Arrows move.");
  }

  nextCorner() {
    const { chosen } = this;
    if (chosen?.kind !== "polygon") { this.say("Choose a polygon first."); return; }
    const corner = (this.corner + 1) % (chosen.points.length + 1);
    const at = corner === chosen.points.length ? -1 : corner;
    this.choose(chosen.id, at);
    this.say(at < 0 ? "The whole polygon." : `Corner ${at + 1} of ${chosen.points.length}, at ${chosen.points[at].join(", ")}.`);
  }

  moreCorners() {
    const { chosen } = this;
    if (chosen?.kind !== "polygon") { this.say("Choose a polygon first."); return; }
    const at = Math.max(0, this.corner);
    this.change(() => addCorner(chosen, at));
    this.choose(chosen.id, at + 1);
    this.say(`Corner ${at + 2} of ${chosen.points.length} added.`);
  }

  remove(id) {
    const region = this.find(id);
    if (!region) { this.say("Choose a region first."); return; }
    if (region.kind === "polygon" && this.corner >= 0 && region.points.length > 3) {
      const at = this.corner;
      this.change(() => region.points.splice(at, 1));
      this.choose(id, Math.min(at, region.points.length - 1));
      this.say(`Corner removed; ${region.points.length} are left.`);
      return;
    }
    const at = this.regions.indexOf(region);
    this.change(() => this.regions.splice(at, 1));
    this.say("Region deleted.");
    const next = this.regions[Math.min(at, this.regions.length - 1)];
    if (next) this.canvas.focus(next.id);
  }

  // --- keys -----------------------------------------------------------------------------------

  pressed(event) {
    const { target } = event;
    if (document.querySelector("dialog[open]") || target.matches?.(TYPED)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onShape = target.closest?.("[data-region]");
    const elsewhere = target.closest?.("button, a, summary, input") && !onShape;
    if (event.key === "Enter" && this.corners?.length) this.finish();
    else if (event.key === "Escape" && this.corners?.length) this.abandon();
    else if (event.key === "Escape" && this.chosen) this.choose("");
    else if ((event.key === "Enter" || event.key === " ") && onShape) this.list.focus(this.chosenId);
    else if ((event.key === "Delete" || event.key === "Backspace") && this.chosen && !elsewhere) this.remove(this.chosenId);
    else if (ARROWS[event.key] && this.chosen && !elsewhere) this.nudge(ARROWS[event.key], event.shiftKey ? 10 : 1);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  nudge([dx, dy], pixels) {
    const { chosen, corner } = this;
    this.change(() => {
      const [x, y] = [dx * pixels, dy * pixels];
      if (corner >= 0) moveCorner(chosen, corner, chosen.points[corner].map((side, at) => side + [x, y][at]), this.size);
      else if (this.sizes && chosen.kind === "box") resize(chosen, x, y, this.size);
      else move(chosen, x, y, this.size);
    }, `nudge ${chosen.id} ${corner} ${this.sizes}`);
    this.reveal();
    this.say(words(chosen));
  }

  // --- pointers, as the canvas reports them ----------------------------------------------------

  drawing = () => this.tool !== "select";

  leaveFields(event) {
    event.preventDefault();
    if (document.activeElement?.matches(TYPED)) document.activeElement.blur();
  }

  focused(id) {
    this.choose(id, id === this.chosenId ? this.corner : -1);
    this.reveal();
  }

  hovered(here) {
    if (this.corners?.length) this.canvas.sketching([...this.corners, here]);
  }

  // What a drag will do: a handle wins, then moving, then drawing.
  begun(held) {
    if (this.corners?.length) return "";
    this.before = JSON.stringify(this.regions);
    if (held.grip) return "grip";
    const moves = held.id && (this.tool === "select" || held.id === this.chosenId);
    if (moves) {
      this.choose(held.id);
      return "move";
    }
    return this.tool === "select" ? "pan" : this.tool === "box" ? "box" : "";
  }

  dragged(held, here) {
    const { chosen } = this;
    if (held.acts === "box") {
      const [x, y, w, h] = boxBetween(held.from, here);
      this.canvas.sketching([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], false);
    } else if (held.acts === "move" && chosen) {
      move(chosen, here[0] - held.last[0], here[1] - held.last[1], this.size);
    } else if (held.acts === "grip" && chosen) {
      if (chosen.kind === "polygon") moveCorner(chosen, Number(held.grip), here, this.size);
      else dragHandle(chosen, held.grip, here, this.size);
    }
    if (held.acts === "move" || held.acts === "grip") this.show();
  }

  dropped(held, here) {
    if (held.acts === "box") {
      this.canvas.sketching([]);
      const box = boxBetween(held.from, here);
      if (box[2] >= 1 && box[3] >= 1) this.add("box", { box });
    } else if (held.acts === "move" || held.acts === "grip") {
      const after = this.regions;
      this.regions = JSON.parse(this.before);
      this.change(() => { this.regions = after; });
      this.canvas.focus(this.chosenId);
    }
  }

  clicked(held) {
    const here = held.from.map(round);
    if (this.tool === "polygon" && !held.grip) this.addedCorner(here);
    else if (this.tool === "point" && !held.id) this.add("point", { points: [here] });
    else if (held.grip && this.chosen?.kind === "polygon") this.choose(this.chosenId, Number(held.grip));
    else if (held.id) { this.fresh = ""; this.choose(held.id); this.canvas.focus(held.id); }
    else this.choose("");
  }

  addedCorner(here) {
    const first = this.corners?.[0];
    const near = first && Math.hypot(here[0] - first[0], here[1] - first[1]) < 8 * this.canvas.unit;
    if (near && this.corners.length >= 3) { this.finish(); return; }
    const last = this.corners?.at(-1);
    if (last && last[0] === here[0] && last[1] === here[1]) return;
    this.corners = [...(this.corners ?? []), here];
    this.canvas.sketching(this.corners);
    this.say(`Corner ${this.corners.length}. Enter closes the polygon, Escape drops it.`);
  }

  closed() {
    if (this.corners?.length >= 3) this.finish();
  }

  finish() {
    const { corners } = this;
    if (corners.length < 3) { this.say("A polygon has at least three corners."); return; }
    this.abandon();
    this.add("polygon", { points: corners });
  }

  abandon() {
    this.corners = [];
    this.canvas?.sketching([]);
  }

  // A fault's link leads to its region, whose fields come with it.
  linked(event) {
    const place = event.target.closest?.("a[href^='#field-regions-']")?.getAttribute("href");
    const region = place && this.regions[Number(place.split("-")[2])];
    if (!region) return;
    event.preventDefault();
    this.choose(region.id);
    this.reveal();
    this.list.focus(region.id);
  }
}

customElements.define("x-regions", Regions);
