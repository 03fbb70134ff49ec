// The list of regions: everything that the picture shows, in words and number fields.

import { cornersFrom, cornersText, round, words } from "./region_shapes.js";

const make = (name, facts = {}, ...inside) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(facts)) {
    if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
};

export class RegionList {
  // asked: {labels, certainty, laterality} of the template; told: {chosen, edited, removed}.
  constructor(place, asked, told, signal) {
    Object.assign(this, { place, asked, told, rows: new Map() });
    this.labels = new Map(asked.labels.map((label) => [label.key, label]));
    place.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (!row) return;
      if (event.target.closest("[data-remove]")) told.removed(row.dataset.row);
      else if (event.target.closest(".row-name")) told.chosen(row.dataset.row);
    }, { signal });
    place.addEventListener("change", (event) => this.typed(event), { signal });
  }

  show(regions, chosen) {
    const wanted = regions.map((region, at) => {
      const row = this.rows.get(region.id) ?? this.row(region);
      row.id = `field-regions-${at}`;
      this.name(region, at + 1);
      return row;
    });
    this.rows = new Map(regions.map((region, at) => [region.id, wanted[at]]));
    const there = [...this.place.children];
    if (wanted.length !== there.length || wanted.some((row, at) => row !== there[at])) {
      this.place.replaceChildren(...wanted);
    }
    this.choose(chosen);
  }

  row(region) {
    const row = make("li", { "data-row": region.id },
      make("button", { type: "button", class: "row-name" }));
    this.rows.set(region.id, row);
    return row;
  }

  name(region, number) {
    const row = this.rows.get(region.id);
    if (!row) return;
    const label = this.labels.get(region.label);
    const at = this.asked.labels.indexOf(label);
    const button = row.querySelector(".row-name");
    if (number) row.dataset.number = number;
    const title = `${row.dataset.number}. ${label?.title ?? region.label ?? "No label"}`;
    const said = [words(region), region.certainty, region.laterality].filter(Boolean).join(", ");
    if (button.dataset.said === title + said) return;
    button.dataset.said = title + said;
    const swatch = make("span", { class: `swatch colour-${label?.colour ?? Math.max(0, at) % 12}`, "aria-hidden": "true" });
    button.replaceChildren(swatch, make("strong", {}, title), " ", make("span", { class: "quiet" }, said));
  }

  // The fields stand below the chosen region only.
  choose(region) {
    for (const [id, row] of this.rows) {
      const here = id === region?.id;
      row.querySelector(".row-name").setAttribute("aria-expanded", String(here));
      const fields = row.querySelector(".row-editor");
      if (!here) fields?.remove();
      else if (!fields || fields.dataset.form !== this.form(region)) {
        fields?.remove();
        row.append(this.editor(region));
      } else this.fill(fields, region);
    }
  }

  form = (region) => `${region.kind} ${region.label}`;

  editor(region) {
    const n = this.rows.get(region.id).dataset.number;
    const field = (name, words, control) =>
      make("div", { class: "field" }, make("label", { for: `region-${name}` }, words),
        Object.assign(control, { id: `region-${name}` }));
    const number = (name) => make("input", { type: "number", step: "any", min: "0", "data-part": name });
    const choice = (name, options) => {
      const select = make("select", { "data-part": name });
      for (const [value, words] of options) select.append(make("option", { value }, words));
      return select;
    };
    const own = [["", "Not said"]];
    const parts = [field("label", "Label", choice("label", this.fitting(region)))];
    if (region.kind === "polygon") {
      const area = make("textarea", { rows: "3", "data-part": "points", spellcheck: "false" });
      parts.push(field("points", "Corners, as x,y x,y …", area));
    } else {
      parts.push(field("x", "X", number("x")), field("y", "Y", number("y")));
      if (region.kind === "box") parts.push(field("w", "Width", number("w")), field("h", "Height", number("h")));
    }
    for (const name of ["certainty", "laterality"]) {
      const options = this.asked[name];
      if (!options) continue;
      const title = name[0].toUpperCase() + name.slice(1);
      parts.push(field(name, title, choice(name, [...own, ...options.map((each) => [each, each])])));
    }
    for (const each of this.labels.get(region.label)?.attributes ?? []) {
      const options = (each.options ?? []).map((text) => [text, text]);
      const control = options.length ? choice(`attributes.${each.key}`, [...own, ...options])
        : make("input", { type: "text", maxlength: "500", "data-part": `attributes.${each.key}` });
      parts.push(field(`attribute-${each.key}`, each.title, control));
    }
    const remove = make("button", { type: "button", class: "button quiet", "data-remove": "" }, `Delete region ${n}`);
    const made = make("div", { class: "row-editor", role: "group", "aria-label": `Region ${n}`, "data-form": this.form(region) }, ...parts, remove);
    this.fill(made, region);
    return made;
  }

  evidence(region) {
    const { number } = this.rows.get(region.id).dataset;
    const title = this.labels.get(region.label)?.title ?? "No label";
    return { kind: "region", region: region.id, label: `Region ${number}, ${title}: ${words(region)}` };
  }

  fitting = (region) => [
    ...(this.labels.has(region.label) ? [] : [[region.label ?? "", "No label"]]),
    ...this.asked.labels
      .filter((label) => !label.kinds || label.kinds.includes(region.kind))
      .map((label) => [label.key, label.title]),
  ];

  fill(fields, region) {
    for (const control of fields.querySelectorAll("[data-part]")) {
      const value = String(this.part(region, control.dataset.part) ?? "");
      if (control.value !== value) control.value = value;
    }
  }

  part({ box, points, attributes, ...said }, name) {
    const at = ["x", "y", "w", "h"].indexOf(name);
    if (at >= 0) return (box ?? points[0])[at];
    if (name === "points") return cornersText(points);
    return name.startsWith("attributes.") ? attributes?.[name.slice(11)] : said[name];
  }

  typed(event) {
    const { part } = event.target.dataset;
    const id = event.target.closest("[data-row]")?.dataset.row;
    if (!part || !id) return;
    const { value } = event.target;
    this.told.edited(id, (region) => {
      const at = ["x", "y", "w", "h"].indexOf(part);
      if (at >= 0) (region.box ?? region.points[0])[at] = round(value);
      else if (part === "points") {
        const corners = cornersFrom(value);
        event.target.setCustomValidity(corners ? "" : "Write pairs such as 10,20 30,20 30,40.");
        if (corners) region.points = corners;
        else event.target.reportValidity();
      } else if (part.startsWith("attributes.")) {
        region.attributes = { ...region.attributes, [part.slice(11)]: value };
        if (!value) delete region.attributes[part.slice(11)];
        if (!Object.keys(region.attributes).length) delete region.attributes;
      } else if (value) region[part] = value;
      else delete region[part];
      if (part === "label") delete region.attributes;
    });
  }

  focus(id) {
    const row = this.rows.get(id);
    (row?.querySelector("[data-part]") ?? row?.querySelector("button"))?.focus();
  }
}
