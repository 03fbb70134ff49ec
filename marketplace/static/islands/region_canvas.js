// The picture with its shapes, as one SVG: zoom and pan are its view box, so lines stay sharp.
// It draws what it is told and reports what a pointer does; what that means is regions.js's matter.

import { handles, words } from "./region_shapes.js";

const SVG = "http://www.w3.org/2000/svg";
const ZOOM_MAX = 40;
const SLIP = 4; // Pixels of the screen that a click may move.

const make = (name, attributes = {}) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

export class Canvas {
  constructor(svg, size, told, signal) {
    Object.assign(this, { svg, size, told, drawn: new Map(), fingers: new Map() });
    this.image = svg.querySelector("image");
    this.shapes = svg.appendChild(make("g", { class: "shapes" }));
    this.grips = svg.appendChild(make("g", { class: "grips", "aria-hidden": "true" }));
    this.sketch = svg.appendChild(make("path", { class: "sketch", "aria-hidden": "true" }));
    this.cross = svg.appendChild(make("path", { class: "cross", "aria-hidden": "true" }));
    this.fit();
    svg.addEventListener("pointerdown", (event) => this.down(event), { signal });
    svg.addEventListener("pointermove", (event) => this.moved(event), { signal });
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, (event) => this.up(event), { signal });
    svg.addEventListener("pointerleave", () => this.cross.setAttribute("d", ""), { signal });
    svg.addEventListener("dblclick", (event) => this.told.closed(this.at(event)), { signal });
    svg.addEventListener("wheel", (event) => this.wheeled(event), { signal, passive: false });
    svg.addEventListener("focusin", (event) => {
      const id = event.target.closest?.("[data-region]")?.dataset.region;
      if (id) this.told.focused(id);
    }, { signal });
    this.watcher = new ResizeObserver(() => this.grip());
    this.watcher.observe(svg);
  }

  // --- view -----------------------------------------------------------------------------------

  fit() {
    this.look([0, 0, ...this.size]);
  }

  look(view) {
    this.view = view;
    this.svg.setAttribute("viewBox", view.join(" "));
    this.svg.classList.toggle("near", this.size[0] / view[2] > 3);
    this.svg.classList.toggle("within", view[2] < this.size[0]);
    this.grip();
  }

  zoom(factor, [x, y] = [this.view[0] + this.view[2] / 2, this.view[1] + this.view[3] / 2]) {
    const [left, top, width] = this.view;
    const wide = Math.min(this.size[0], Math.max(this.size[0] / ZOOM_MAX, width / factor));
    const share = wide / width;
    this.pan([x - (x - left) * share, y - (y - top) * share, wide, (wide * this.size[1]) / this.size[0]]);
  }

  pan([left, top, width, height]) {
    const kept = (value, room) => Math.min(Math.max(value, 0), Math.max(0, room));
    this.look([kept(left, this.size[0] - width), kept(top, this.size[1] - height), width, height]);
  }

  reveal([x, y, w, h]) {
    const [left, top, width, height] = this.view;
    if (x >= left && y >= top && x + w <= left + width && y + h <= top + height) return;
    this.pan([x + w / 2 - width / 2, y + h / 2 - height / 2, width, height]);
  }

  // Pixels of the image for one of the screen.
  get unit() {
    const box = this.svg.getBoundingClientRect();
    return Math.max(this.view[2] / (box.width || 1), this.view[3] / (box.height || 1));
  }

  at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [point.x, point.y].map((side, axis) => Math.min(Math.max(side, 0), this.size[axis]));
  }

  // --- drawing --------------------------------------------------------------------------------

  draw(region, title, colour) {
    let group = this.drawn.get(region.id);
    if (!group || group.dataset.kind !== region.kind) {
      const former = group;
      group = make("g", { role: "button", tabindex: "0", "data-region": region.id, "data-kind": region.kind });
      for (const name of ["halo", "line"]) group.append(make("path", { class: name }));
      if (former) former.replaceWith(group);
      else this.shapes.append(group);
      this.drawn.set(region.id, group);
    }
    group.setAttribute("class", `region colour-${colour}`);
    group.setAttribute("aria-label", `${title}, ${words(region)}`);
    group.setAttribute("aria-pressed", String(region.id === this.chosen?.id));
    for (const path of group.children) path.setAttribute("d", this.outline(region));
  }

  outline({ kind, box, points }) {
    if (kind === "box") return `M${box[0]} ${box[1]}h${box[2]}v${box[3]}h${-box[2]}Z`;
    if (kind === "polygon") return `M${points.map((corner) => corner.join(" ")).join("L")}Z`;
    // A line without length is drawn as a dot by its round ends, as wide whatever the zoom.
    return `M${points[0].join(" ")}h0`;
  }

  keepOnly(ids) {
    for (const [id, group] of this.drawn) {
      if (ids.has(id)) continue;
      group.remove();
      this.drawn.delete(id);
    }
  }

  choose(region, corner = -1) {
    this.chosen = region;
    this.corner = corner;
    for (const [id, group] of this.drawn) group.setAttribute("aria-pressed", String(id === region?.id));
    this.grip();
  }

  grip() {
    if (!this.grips) return;
    this.grips.replaceChildren();
    if (!this.chosen) return;
    const side = 9 * this.unit;
    for (const [name, x, y] of handles(this.chosen)) {
      const grip = make("rect", { x: x - side / 2, y: y - side / 2, width: side, height: side, "data-grip": name });
      if (name === String(this.corner)) grip.classList.add("current");
      this.grips.append(grip);
    }
  }

  sketching(points, open = true) {
    this.sketch.setAttribute("d", points.length ? `M${points.map((corner) => corner.join(" ")).join("L")}${open ? "" : "Z"}` : "");
  }

  focus(id) {
    this.drawn.get(id)?.focus({ preventScroll: true });
  }

  // --- pointers -------------------------------------------------------------------------------

  down(event) {
    if (event.pointerType === "touch" && this.spread(event)) return;
    if (event.button > 1 || (this.held && event.pointerId !== this.held.pointer)) return;
    const grip = event.target.dataset?.grip;
    const id = event.target.closest?.("[data-region]")?.dataset.region;
    this.held = {
      pointer: event.pointerId, from: this.at(event), last: this.at(event), grip, id,
      screen: [event.clientX, event.clientY], view: this.view, pans: event.button === 1, moved: false,
    };
    // Focus is set when it is known what the pointer meant.
    event.preventDefault();
  }

  // Two fingers zoom and move the picture, whatever the tool; what the first had begun is let go.
  spread(event) {
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.fingers.size < 2) return false;
    const { held } = this;
    this.held = null;
    if (held?.moved) this.told.dropped(held, held.from);
    const [[ax, ay], [bx, by]] = this.fingers.values();
    const now = { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) || 1 };
    const before = this.pinch ?? now;
    const [left, top, width, height] = this.view;
    this.pan([left + (before.x - now.x) * this.unit, top + (before.y - now.y) * this.unit, width, height]);
    this.zoom(now.apart / before.apart, this.at({ clientX: now.x, clientY: now.y }));
    this.pinch = now;
    event.preventDefault();
    return true;
  }

  moved(event) {
    if (this.fingers.has(event.pointerId) && this.spread(event)) return;
    const here = this.at(event);
    if (this.told.drawing()) {
      this.cross.setAttribute("d", `M0 ${here[1]}H${this.size[0]}M${here[0]} 0V${this.size[1]}`);
    }
    this.told.hovered(here);
    const { held } = this;
    if (!held || event.pointerId !== held.pointer) return;
    const [sx, sy] = [event.clientX - held.screen[0], event.clientY - held.screen[1]];
    if (!held.moved) {
      if (Math.hypot(sx, sy) < SLIP) return;
      held.moved = true;
      this.svg.setPointerCapture(event.pointerId);
      held.acts = held.pans ? "pan" : this.told.begun(held);
    }
    if (held.acts === "pan") {
      const unit = held.view[2] / this.svg.getBoundingClientRect().width;
      this.pan([held.view[0] - sx * unit, held.view[1] - sy * unit, held.view[2], held.view[3]]);
    } else if (held.acts) this.told.dragged(held, here);
    held.last = here;
  }

  up(event) {
    const { held } = this;
    if (this.fingers.delete(event.pointerId)) this.pinch = null;
    if (!held || event.pointerId !== held.pointer) return;
    this.held = null;
    if (event.type === "pointercancel") this.told.dropped(held, held.last);
    else if (held.moved) this.told.dropped(held, this.at(event));
    else if (!held.pans) this.told.clicked(held);
  }

  wheeled(event) {
    const inside = this.view[2] < this.size[0];
    if (!event.ctrlKey && !event.metaKey && !inside) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY / 300), this.at(event));
    else this.pan([this.view[0] + event.deltaX * this.unit, this.view[1] + event.deltaY * this.unit, this.view[2], this.view[3]]);
  }

  stop() {
    this.watcher.disconnect();
  }
}
