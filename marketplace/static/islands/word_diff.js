// What changed between two texts, word by word, as nodes: del for what went, ins for what came.

const WORDS_MAX = 4_000;

const words = (text) => text.match(/[\p{L}\p{N}\p{M}_]+\s*|[^\p{L}\p{N}\p{M}_\s]\s*|\s+/gu) ?? [];

// What both begin and end with is taken off first, as most of an edited text is.
export function changes(before, after) {
  let [old, now] = [words(before), words(after)];
  if (old.length + now.length > WORDS_MAX) [old, now] = [before, after].map((text) => text.split(/(?<=\n)/u));
  let head = 0;
  while (head < old.length && head < now.length && old[head].trim() === now[head].trim()) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head
    && old.at(-1 - tail).trim() === now.at(-1 - tail).trim()) tail += 1;
  const middle = aligned(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  const same = (list) => list.map((word) => ["same", word]);
  return [...same(now.slice(0, head)), ...middle, ...same(now.slice(now.length - tail))];
}

// The longest common subsequence, by the table of its lengths.
function aligned(old, now) {
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  for (let at = old.length - 1; at >= 0; at -= 1) {
    for (let to = now.length - 1; to >= 0; to -= 1) {
      lengths[at * width + to] = old[at].trim() === now[to].trim()
        ? lengths[(at + 1) * width + to + 1] + 1
        : Math.max(lengths[(at + 1) * width + to], lengths[at * width + to + 1]);
    }
  }
  const found = [];
  let [at, to] = [0, 0];
  while (at < old.length || to < now.length) {
    if (at < old.length && to < now.length && old[at].trim() === now[to].trim()) {
      found.push(["same", now[to]]);
      at += 1;
      to += 1;
    } else if (to >= now.length || (at < old.length && lengths[(at + 1) * width + to] >= lengths[at * width + to + 1])) {
      found.push(["del", old[at]]);
      at += 1;
    } else {
      found.push(["ins", now[to]]);
      to += 1;
    }
  }
  return found;
}

// The differences as nodes; stretches of one kind are one element.
export function marked(before, after) {
  const runs = [];
  for (const [kind, word] of changes(before, after)) {
    if (runs.at(-1)?.[0] === kind) runs.at(-1)[1] += word;
    else runs.push([kind, word]);
  }
  return runs.map(([kind, text]) => {
    if (kind === "same") return document.createTextNode(text);
    const node = document.createElement(kind);
    node.textContent = text;
    return node;
  });
}
