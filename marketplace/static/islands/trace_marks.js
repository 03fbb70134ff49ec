// Marks on steps as one short text, the way the server reads and writes it:
// "s3.-1.t0 s9.1" says that s3 is wrong and its tool was wrong, and that s9 is right.

const LETTERS = new Map([
  ["tool_choice", "t"], ["arguments", "a"], ["grounded", "g"], ["is_error", "e"],
  ["inherited_error", "i"],
]);
const NAMES = new Map([...LETTERS].map(([name, letter]) => [letter, name]));

export const WRONG = "-1";
export const RIGHT = "1";

function part(text) {
  if (["-1", "0", "1"].includes(text)) return ["correctness", text];
  const name = NAMES.get(text[0]);
  if (name && text.length === 2) return [name, text[1] === "1" ? "true" : "false"];
  return text[0] === "r" && text.length > 1 ? ["recovered_from", text.slice(1)] : null;
}

// Step id → {part: value as the form's fields have it}.
export function read(text) {
  const marks = new Map();
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const [id, ...parts] = word.split(".");
    marks.set(id, { ...marks.get(id), ...Object.fromEntries(parts.map(part).filter(Boolean)) });
  }
  return marks;
}

export function write(marks) {
  const words = [];
  for (const [id, mark] of marks) {
    const parts = [];
    if (mark.correctness) parts.push(mark.correctness);
    for (const [name, letter] of LETTERS) {
      if (mark[name]) parts.push(letter + (mark[name] === "true" ? "1" : "0"));
    }
    if (mark.recovered_from) parts.push(`r${mark.recovered_from}`);
    if (parts.length) words.push([id, ...parts].join("."));
  }
  return words.join(" ");
}

// What a step is, in one word: for its colour, its sign and its name.
export function stateOf(mark, failed) {
  if (mark?.correctness === WRONG) return "wrong";
  if (mark?.correctness === "0") return "neutral";
  if (mark?.correctness === RIGHT) return mark.recovered_from ? "recovered" : "right";
  return failed ? "failed" : "";
}
