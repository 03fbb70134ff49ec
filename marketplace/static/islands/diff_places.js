// Places in a diff: which row of which file a path, a number and a side mean, and what lies beside
// it. Rows are those that the server drew; comments stand in rows of their own between them.

const LINES = ".diff-lines tbody > tr:not(.remark-line)";

export class Places {
  constructor(root) {
    this.root = root;
    this.files = [...root.querySelectorAll("[data-file]")];
    this.rows = new Map();
    for (const file of this.files) {
      for (const table of file.querySelectorAll("table")) table.setAttribute("role", "grid");
      for (const row of file.querySelectorAll(LINES)) {
        row.tabIndex = -1;
        this.keep(file, row);
      }
    }
  }

  // The first row with a number wins, as where a diff shows a file twice.
  keep(file, row) {
    const { old, after } = numbers(row);
    const names = new Set([file.dataset.file, file.dataset.old].filter(Boolean));
    if (after) this.rows.set(key(file.dataset.file, after, "new"), this.rows.get(key(file.dataset.file, after, "new")) ?? row);
    if (old) for (const name of names) this.rows.set(key(name, old, "old"), this.rows.get(key(name, old, "old")) ?? row);
  }

  lineOf({ path, line, side }) {
    return line ? this.rows.get(key(path, line, side)) : undefined;
  }

  // What a row is called in a comment: by its number after the change wherever it has one.
  of(row) {
    const { old, after } = numbers(row);
    return { path: row.closest("[data-file]").dataset.file, line: after || old, side: after ? "new" : "old" };
  }

  words(row) {
    const cell = row.cells[3].cloneNode(true);
    for (const sign of cell.querySelectorAll(".eol")) sign.remove();
    return cell.textContent;
  }

  named(row) {
    const { line, side } = this.of(row);
    const kind = { added: "added", removed: "removed" }[row.className] ?? "unchanged";
    return `Line ${line}${side === "old" ? " before the change" : ""}, ${kind}: ${this.words(row)}`;
  }

  // Put a comment where it belongs; whether there is such a place.
  put(remark, place) {
    const row = this.lineOf(place);
    if (row) {
      let last = row;
      while (last.nextElementSibling?.matches(".remark-line")) {
        last = last.nextElementSibling;
        if (last.contains(remark)) return true;
      }
      const holder = document.createElement("tr");
      holder.className = "remark-line";
      const cell = document.createElement("td");
      cell.colSpan = 4;
      cell.append(remark);
      holder.append(cell);
      last.after(holder);
      const folded = row.closest("details:not([open])");
      if (folded) folded.open = true;
      return true;
    }
    const file = !place.line && this.files.find((each) => each.dataset.file === place.path);
    const head = file && file.querySelector("[data-file-comments]");
    if (head && !head.contains(remark)) head.append(remark);
    return Boolean(head);
  }

  remarksOf(row) {
    const found = [];
    for (let each = row.nextElementSibling; each?.matches(".remark-line"); each = each.nextElementSibling) {
      found.push(each.querySelector("[data-comment]"));
    }
    return found.filter(Boolean);
  }

  // The first line of each stretch of changed ones; a folded file is one stop, its head.
  stops() {
    return this.files.flatMap((file) => {
      const folded = !file.querySelector("details").open;
      const starts = folded ? [] : [...file.querySelectorAll(LINES)].filter(begins);
      return starts.length ? starts : [file.querySelector("summary")];
    });
  }

  first(file) {
    return file.querySelector("details").open ? [...file.querySelectorAll(LINES)].find(begins) : undefined;
  }

  open() {
    return this.files.filter((file) => file.querySelector("details").open)
      .flatMap((file) => [...file.querySelectorAll(LINES)]);
  }

  // The element of a list, which stands in the page's order, that comes after or before another.
  beside(list, from, by) {
    if (!from) return by > 0 ? list[0] : list.at(-1);
    const way = by > 0 ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING;
    const there = (each) => each !== from && (from.compareDocumentPosition(each) & way);
    return by > 0 ? list.find(there) : list.findLast(there);
  }
}

const key = (path, line, side) => `${side} ${line} ${path}`;

function numbers(row) {
  return { old: row.cells[0].textContent, after: row.cells[1].textContent };
}

function begins(row) {
  if (row.matches(".same")) return false;
  let before = row.previousElementSibling;
  while (before?.matches(".remark-line")) before = before.previousElementSibling;
  return !before || before.matches(".same");
}

