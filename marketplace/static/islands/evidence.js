// Words that somebody selected in the material, as evidence of a reason: where in the task they
// stand, as a JSON pointer, and what stands around them, since a page shows Markdown as text. In a
// text that stands letter for letter they have their offsets too, in code points.

const QUOTE_MAX = 900;
const LABEL_MAX = 120;
const AROUND = 32;
const OWN = "textarea, input, .answerbar, .more, .instructions, [data-told]";

const points = (text) => Array.from(text).length;
const head = (text, most) => Array.from(text).slice(0, most).join("");

// The selection as evidence, or null where nothing of the task is selected.
export function selected(selection, bench) {
  const quote = String(selection).trim();
  if (!quote || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const { commonAncestorContainer: inside } = range;
  const element = inside.nodeType === Node.ELEMENT_NODE ? inside : inside.parentElement;
  if (!bench.contains(element) || element.closest(OWN)) return null;
  const found = { kind: "span", quote: head(quote, QUOTE_MAX), label: head(quote, LABEL_MAX) };
  const letters = element.closest(".marks-text");
  const part = letters ?? element.closest("[data-place]");
  if (!part) return found;
  const [before, after] = around(range, part);
  if (letters?.dataset.id) return { ...found, kind: "citation", document: letters.dataset.id };
  // A text with other line ends than the page's is found again by its words alone.
  if (letters && !letters.dataset.source) return { ...found, start: points(before), end: points(before) + points(String(range)) };
  if (letters) return found;
  const { place } = part.dataset;
  const kind = place.startsWith("/context/") ? "citation" : "span";
  return { ...found, kind, place, before: Array.from(before).slice(-AROUND).join(""), after: head(after, AROUND) };
}

// The region that is chosen on a picture.
export function chosenRegion(bench) {
  const regions = bench.querySelector("x-regions");
  return regions?.chosen ? regions.list.evidence(regions.chosen) : null;
}

function around(range, part) {
  const [before, after] = [range.cloneRange(), range.cloneRange()];
  before.selectNodeContents(part);
  before.setEnd(range.startContainer, range.startOffset);
  after.selectNodeContents(part);
  after.setStart(range.endContainer, range.endOffset);
  return [String(before), String(after)];
}
