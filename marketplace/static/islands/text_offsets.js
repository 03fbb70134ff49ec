// Offsets in a text. The DOM counts UTF-16 units, our data counts Unicode code points; here, and
// nowhere else, one becomes the other. Further: where characters as people see them begin and end.

export class Offsets {
  constructor(text) {
    this.text = text;
    // Where a pair of units makes one code point; most texts have few or none.
    this.pairs = [];
    for (const found of text.matchAll(/[\u{10000}-\u{10ffff}]/gu)) this.pairs.push(found.index);
  }

  // Code points before a place that is counted in UTF-16 units.
  toPoints(unit) {
    return unit - this.pairsBefore(unit);
  }

  // UTF-16 units before a place that is counted in code points.
  toUnits(point) {
    // Each pair before the place moves it one further; pairs are sorted, so halve the range.
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pairs[middle] - middle < point) low = middle + 1;
      else high = middle;
    }
    return point + low;
  }

  pairsBefore(unit) {
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pairs[middle] < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const NEAR = 200;
const segmenters = {};
const segmenter = (granularity) =>
  (segmenters[granularity] ??= new Intl.Segmenter(undefined, { granularity }));

const isBlank = (character) => /\s/u.test(character);

// The stretch without blanks at its ends, and without half an emoji or a letter parted from its
// accents; null where nothing is left. `from` and `to` are where the line stands that holds it.
export function tidied(text, start, end) {
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  if (start === end) return null;
  const first = segmentAt(text, start, "grapheme");
  const last = segmentAt(text, end - 1, "grapheme");
  return { start: first.start, end: last.end };
}

// The word at a place, null where there is none.
export function wordAt(text, at) {
  for (const place of [at, at - 1]) {
    if (place < 0 || place >= text.length || isBlank(text[place])) continue;
    const found = segmentAt(text, place, "word");
    if (found.wordLike) return found;
  }
  return null;
}

function segmentAt(text, at, granularity) {
  // Only what stands near is cut, from a blank on: a whole text would take too long.
  let from = Math.max(0, at - NEAR);
  while (from > 0 && !isBlank(text[from - 1]) && at - from < 2 * NEAR) from -= 1;
  const line = text.slice(from, at + NEAR);
  const found = segmenter(granularity).segment(line).containing(at - from);
  const start = from + found.index;
  return { start, end: start + found.segment.length, wordLike: found.isWordLike };
}
