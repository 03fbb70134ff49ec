// Shapes of regions in pixels of the original image: reading, moving, sizing, words for them.
// A region is {id, label, kind, box: [x, y, w, h]} or {…, points: [[x, y], …]}.

export const SIDE_MIN = 1;
const SLACK = 1e-9;

export const round = (value) => Math.round(Number(value) * 100 + SLACK) / 100 || 0;
const within = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

// What the server kept may be a draft with half of it missing; it is shown as far as it goes.
export function tidy(region, number) {
  const kind = ["box", "polygon", "point"].includes(region?.kind) ? region.kind : "box";
  const clean = { ...region, id: String(region?.id ?? `r${number + 1}`), kind };
  if (kind === "box") {
    const box = Array.isArray(region?.box) ? region.box : [];
    clean.box = [0, 1, 2, 3].map((at) => round(box[at]));
    delete clean.points;
  } else {
    const points = Array.isArray(region?.points) ? region.points.filter(Array.isArray) : [];
    clean.points = points.map(([x, y]) => [round(x), round(y)]);
    if (!clean.points.length) clean.points = [[0, 0]];
    delete clean.box;
  }
  return clean;
}

export function bounds({ box, points }) {
  if (box) return box;
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return [x, y, Math.max(...xs) - x, Math.max(...ys) - y];
}

export function boxBetween([ax, ay], [bx, by]) {
  return [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)].map(round);
}

// Each of these changes the region in place and keeps it on an image of this size.
export function move(region, dx, dy, [width, height]) {
  const [x, y, w, h] = bounds(region);
  const by = [within(x + dx, 0, width - w) - x, within(y + dy, 0, height - h) - y];
  if (region.box) region.box = [round(x + by[0]), round(y + by[1]), w, h];
  else region.points = region.points.map((corner) => corner.map((side, at) => round(side + by[at])));
}

export function resize(region, dw, dh, [width, height]) {
  const [x, y, w, h] = region.box;
  region.box = [x, y, round(within(w + dw, SIDE_MIN, width - x)), round(within(h + dh, SIDE_MIN, height - y))];
}

export function moveCorner(region, at, [x, y], [width, height]) {
  region.points[at] = [round(within(x, 0, width)), round(within(y, 0, height))];
}

// A handle is named by its compass points: the edges that go where the pointer goes.
export function dragHandle(region, handle, [px, py], [width, height]) {
  let [left, top, w, h] = region.box;
  let right = left + w, bottom = top + h;
  if (handle.includes("w")) left = within(px, 0, right - SIDE_MIN);
  if (handle.includes("e")) right = within(px, left + SIDE_MIN, width);
  if (handle.includes("n")) top = within(py, 0, bottom - SIDE_MIN);
  if (handle.includes("s")) bottom = within(py, top + SIDE_MIN, height);
  region.box = [left, top, right - left, bottom - top].map(round);
}

export function handles({ box, points, kind }) {
  if (kind === "polygon") return points.map(([x, y], at) => [String(at), x, y]);
  if (kind === "point") return [];
  const [x, y, w, h] = box;
  return [
    ["nw", x, y], ["n", x + w / 2, y], ["ne", x + w, y], ["e", x + w, y + h / 2],
    ["se", x + w, y + h], ["s", x + w / 2, y + h], ["sw", x, y + h], ["w", x, y + h / 2],
  ];
}

export function addCorner(region, at) {
  const [a, b] = [region.points[at], region.points[(at + 1) % region.points.length]];
  region.points.splice(at + 1, 0, [round((a[0] + b[0]) / 2), round((a[1] + b[1]) / 2)]);
}

// A shape to begin with, in the middle of what is seen: [x, y, w, h].
export function fresh(kind, [x, y, w, h], size) {
  const [cx, cy] = [x + w / 2, y + h / 2].map((side, at) => within(Math.round(side), 0, size[at]));
  if (kind === "point") return { points: [[cx, cy]] };
  const [rx, ry] = [Math.max(1, Math.round(w / 8)), Math.max(1, Math.round(h / 8))];
  if (kind === "box") return { box: [cx - rx, cy - ry, 2 * rx, 2 * ry] };
  return { points: [[cx, cy - ry], [cx + rx, cy], [cx, cy + ry], [cx - rx, cy]] };
}

export function words({ kind, box, points }) {
  if (kind === "box") return `box at ${box[0]}, ${box[1]}, ${box[2]} by ${box[3]}`;
  if (kind === "point") return `point at ${points[0][0]}, ${points[0][1]}`;
  return `polygon of ${points.length} corners around ${bounds({ points }).slice(0, 2).join(", ")}`;
}

export const cornersText = (points) => points.map((corner) => corner.join(",")).join(" ");

export function cornersFrom(text) {
  const parts = text.trim().split(/[\s;]+/).map((pair) => pair.split(",").map(Number));
  const sound = parts.every((pair) => pair.length === 2 && pair.every(Number.isFinite));
  return sound ? parts.map((pair) => pair.map(round)) : null;
}
