// What is marked in a text as lists beside it: each span with what is said of it, each relation.

const made = (name, { words = "", ...rest } = {}, ...children) => {
  const element = document.createElement(name);
  const { data = {}, ...attributes } = rest;
  Object.assign(element.dataset, data);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null) element.setAttribute(key, value);
  }
  if (words) element.append(words);
  element.append(...children);
  return element;
};

// The rows of spans in the order of the text; the chosen one can be edited. Only rows that change
// are made anew, so that a text with a thousand spans stays quick.
export function drawSpans(marks) {
  const list = marks.querySelector("[data-list]");
  const sorted = [...marks.spans].sort((one, other) => one.start - other.start || other.end - one.end);
  const there = new Map([...list.children].map((row) => [row.dataset.span, row]));
  const rows = sorted.map((span) => {
    const current = span.id === marks.current;
    const drawn = JSON.stringify([span, current]);
    const row = there.get(span.id);
    return row?.dataset.drawn === drawn ? row : spanRow(marks, span, current, drawn);
  });
  const same = rows.length === list.children.length && rows.every((row, at) => row === list.children[at]);
  rows.forEach((row, at) => {
    const there = list.children[at];
    if (there === row) return;
    // A row made anew takes its own former place; all others stay where they are.
    if (there?.dataset.span === row.dataset.span) there.replaceWith(row);
    else list.insertBefore(row, there ?? null);
  });
  while (list.children.length > rows.length) list.lastChild.remove();
  marks.querySelector("[data-count]").textContent = String(rows.length);
  marks.querySelector("[data-none]").hidden = rows.length > 0;
  const nothing = document.querySelector("[data-nothing]");
  if (nothing) nothing.hidden = rows.length > 0;
  const chosen = current(list);
  if (!same) chosen?.scrollIntoView({ block: "nearest" });
}

const current = (list) => list.querySelector('[aria-current="true"]');

function spanRow(marks, span, isCurrent, drawn) {
  const [label, words] = [span.label, marks.named(span).slice(span.label.length + 2)];
  const row = made("li", { class: "mark-row", data: { span: span.id, drawn } },
    made("div", { class: "mark-head" },
      made("button", { type: "button", class: "mark-name", data: { act: "choose" }, "aria-current": String(isCurrent) },
        made("span", { class: `mark-label tone-${marks.tones.get(label) ?? 0}`, words: label }),
        made("span", { class: "mark-words", words, dir: "auto" })),
      made("button", {
        type: "button", class: "icon-button", data: { act: "remove" },
        "aria-label": `Remove ${marks.named(span)}`, words: "×",
      })));
  if (isCurrent) row.append(editor(marks, span));
  return row;
}

function editor(marks, span) {
  const { config } = marks;
  const box = made("div", { class: "mark-editor", role: "group", "aria-label": `About ${marks.named(span)}` });
  box.append(chooser("Label", config.labels.map(({ name }) => name), span.label, { field: "label" }, false));
  for (const each of config.attributes) {
    if (each.labels && !each.labels.includes(span.label)) continue;
    const value = span.attributes?.[each.key];
    const data = { attribute: each.key };
    if (each.kind === "choice") box.append(chooser(each.title, each.options, value, data, true));
    else if (each.kind === "flag") box.append(flag(each.title, value === true, data));
    else box.append(field(each.title, value ?? "", data));
  }
  if (config.negation) box.append(flag("Negated", span.negated === true, { field: "negated" }));
  if (config.kb_ids) box.append(field("Concept id", span.kb_id ?? "", { field: "kb_id" }));
  box.append(made("div", { class: "cluster" },
    made("button", { type: "button", class: "button plain", data: { act: "move" }, words: "Move to the selection" }),
    made("button", { type: "button", class: "button plain", data: { act: "evidence" }, words: "Use as evidence" })));
  return box;
}

// Controls without a name: the form sends what is marked in one field.
const labelled = (title, control) => {
  // Named by itself: the text of a label around a select holds every option too.
  control.setAttribute("aria-label", title);
  return made("label", { class: "mark-field" }, made("span", { words: title }), control);
};

function chooser(title, options, value, data, withNone) {
  const control = made("select", { data });
  if (withNone) control.append(made("option", { value: "", words: "Not said" }));
  for (const each of options) control.append(made("option", { value: each, words: each, selected: each === value }));
  return labelled(title, control);
}

const field = (title, value, data) =>
  labelled(title, made("input", { type: "text", value, data, autocomplete: "off" }));

const flag = (title, checked, data) =>
  made("label", { class: "mark-flag" }, made("input", { type: "checkbox", checked, data }), made("span", { words: title }));

// Relations, and while one is made the types that may be chosen.
export function drawRelations(marks) {
  const list = marks.querySelector("[data-relations]");
  if (!list) return;
  const name = (id) => (marks.find(id) ? marks.named(marks.find(id)) : "a span that is gone");
  list.replaceChildren(...marks.relations.map(({ source, type, target }, at) =>
    made("li", { class: "mark-row" }, made("div", { class: "mark-head" },
      made("span", { class: "mark-words" }, name(source), " ", made("strong", { words: type }), " ", name(target)),
      made("button", {
        type: "button", class: "icon-button", data: { relation: at }, words: "×",
        "aria-label": `Remove the relation ${type} from ${name(source)} to ${name(target)}`,
      })))));
  const choices = marks.querySelector("[data-types]");
  const { source, target } = marks.link ?? {};
  const types = target ? marks.typesFor(marks.find(source), marks.find(target)) : [];
  choices.replaceChildren(...types.map((type) =>
    made("button", { type: "button", class: "button quiet", data: { type }, words: type })));
}
