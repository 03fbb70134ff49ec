// A list that holds thousands of rows and draws those in view.
//
// new VirtualList(view, list, {count, estimate(i), make(i), gone(row, i)?, signal})
//   view: what scrolls; list: what holds the rows, both elements of the page.
//   estimate: a height in pixels for a row never drawn; make: its element.
//   gone: called before a row leaves the page, so that what was opened in it can be remembered.
// Rows may have any height, and may change it. A row with the focus in it stays on the page, so
// that the focus is never lost. Rows get `aria-setsize` and `aria-posinset`.

const AHEAD = 700; // Pixels above and below the view that are drawn already.

export class VirtualList {
  constructor(view, list, { count, estimate, make, gone, signal }) {
    Object.assign(this, { view, list, estimate, make, gone });
    this.rows = new Map();
    this.placed = new WeakMap();
    this.sizes = new ResizeObserver((entries) => this.resized(entries));
    this.setCount(count);
    view.addEventListener("scroll", () => this.plan(), { passive: true, signal });
    this.room = new ResizeObserver(() => this.plan());
    this.room.observe(view);
    signal?.addEventListener("abort", () => this.stop());
  }

  setCount(count) {
    this.count = count;
    this.known = new Uint8Array(count);
    this.heights = Float64Array.from({ length: count }, (_, i) => this.estimate(i));
    this.tops = new Float64Array(count + 1);
    this.stale = true;
    for (const row of this.rows.values()) this.drop(row);
    this.rows.clear();
    this.plan();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    this.room.disconnect();
  }

  // The row of an index, where it is drawn.
  row(i) {
    return this.rows.get(i);
  }

  // A better guess, once what the row will hold is known.
  guess(i) {
    if (this.known[i]) return;
    this.heights[i] = this.estimate(i);
    this.stale = true;
  }

  // Draw a row anew, where it is drawn at all.
  refresh(i) {
    const old = this.rows.get(i);
    if (!old) return;
    const focused = old.contains(document.activeElement);
    const fresh = this.built(i);
    this.sizes.unobserve(old);
    old.replaceWith(fresh);
    this.rows.set(i, fresh);
    if (focused) fresh.focus({ preventScroll: true });
    this.place();
  }

  plan() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  // Bring a row into view: "nearest" moves as little as it must.
  show(i, where = "nearest") {
    // Heights are guesses until rows are drawn; the second pass knows them.
    for (let pass = 0; pass < 2; pass += 1) {
      this.measure();
      const { scrollTop, clientHeight } = this.view;
      const [top, bottom] = [this.tops[i], this.tops[i + 1]];
      const inside = top >= scrollTop && bottom <= scrollTop + clientHeight;
      if (where === "nearest" && inside) break;
      const below = bottom > scrollTop + clientHeight && bottom - top < clientHeight;
      const wanted = where === "nearest" && below && top > scrollTop ? bottom - clientHeight : top;
      this.view.scrollTop = where === "center" ? top - clientHeight / 3 : wanted;
      this.draw();
    }
    this.measure();
  }

  // --- inside ---------------------------------------------------------------------------------

  settle() {
    if (!this.stale) return;
    this.stale = false;
    for (let i = 0, top = 0; i < this.count; i += 1) {
      this.tops[i] = top;
      top += this.heights[i];
      this.tops[i + 1] = top;
    }
    this.list.style.height = `${this.tops[this.count]}px`;
  }

  at(offset) {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  draw() {
    if (!this.count) return;
    this.settle();
    const { scrollTop, clientHeight } = this.view;
    const first = this.at(scrollTop - AHEAD);
    const last = this.at(scrollTop + clientHeight + AHEAD);
    for (const [i, row] of this.rows) {
      if ((i >= first && i <= last) || row.contains(document.activeElement)) continue;
      this.gone?.(row, i);
      this.drop(row);
      this.rows.delete(i);
    }
    for (let i = first; i <= last; i += 1) if (!this.rows.has(i)) this.add(i);
    this.place();
  }

  // Rows stand in the page in their order, which is the order that Tab and readers follow.
  add(i) {
    const row = this.built(i);
    this.rows.set(i, row);
    const after = Math.min(...[...this.rows.keys()].filter((each) => each > i));
    this.list.insertBefore(row, this.rows.get(after) ?? null);
  }

  built(i) {
    const row = this.make(i);
    row.dataset.index = String(i);
    row.setAttribute("aria-posinset", String(i + 1));
    row.setAttribute("aria-setsize", String(this.count));
    this.sizes.observe(row);
    return row;
  }

  drop(row) {
    this.sizes.unobserve(row);
    row.remove();
  }

  place() {
    this.settle();
    for (const [i, row] of this.rows) {
      if (this.placed.get(row) === this.tops[i]) continue;
      this.placed.set(row, this.tops[i]);
      row.style.transform = `translateY(${this.tops[i]}px)`;
    }
  }

  measure() {
    for (const [i, row] of this.rows) this.learn(i, row.getBoundingClientRect().height);
    this.place();
  }

  learn(i, height) {
    this.known[i] = 1;
    if (Math.abs(height - this.heights[i]) < 0.5) return 0;
    const change = height - this.heights[i];
    this.heights[i] = height;
    this.stale = true;
    return change;
  }

  // What grows above the view pushes nothing that is being read.
  resized(entries) {
    this.settle();
    const { scrollTop } = this.view;
    let moved = 0;
    for (const { target, borderBoxSize } of entries) {
      const i = Number(target.dataset.index);
      if (this.rows.get(i) !== target) continue;
      const above = this.tops[i] < scrollTop;
      const change = this.learn(i, borderBoxSize[0].blockSize);
      if (above) moved += change;
    }
    if (!this.stale) return;
    this.place();
    if (moved) this.view.scrollTop = scrollTop + moved;
    this.plan();
  }
}
