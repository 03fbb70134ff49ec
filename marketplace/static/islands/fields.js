// The fields of an answer's form as [name, value] pairs: reading them, comparing, putting them back.

// What belongs to the page and not to the answer.
const OF_THE_PAGE = new Set(["csrf_token", "next", "intervals", "fence", "at_page"]);
const CHOSEN = new Set(["radio", "checkbox"]);

const answering = (control) =>
  control.name && !OF_THE_PAGE.has(control.name) && !/^(submit|button|reset|fieldset)$/.test(control.type);

export const reads = (form) => [...new FormData(form)].filter(([name]) => !OF_THE_PAGE.has(name));

// Whether two lists of fields say the same; the server trims, and leaves out what is empty.
export function same(one, other) {
  const plain = (fields) => JSON.stringify(fields
    .map(([name, value]) => [name, String(value).replaceAll("\r\n", "\n").trim()])
    .filter(([, value]) => value)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1)));
  return plain(one) === plain(other);
}

// Whether somebody changed the form since the server wrote it.
export const dirty = (form) => [...form.elements].filter(answering).some((control) =>
  CHOSEN.has(control.type) ? control.checked !== control.defaultChecked
  : control.type === "select-one" ? control.selectedIndex !== standing(control)
  : control.type !== "hidden" && control.value !== control.defaultValue);

const standing = ({ options }) => Math.max(0, [...options].findLastIndex((each) => each.defaultSelected));

// Put the fields back; gives those that the form has no place for.
export function fill(form, fields) {
  const values = new Map();
  for (const [name, value] of fields) values.set(name, [...(values.get(name) ?? []), value]);
  for (const control of [...form.elements].filter(answering)) {
    const said = values.get(control.name) ?? [];
    if (CHOSEN.has(control.type)) control.checked = said.includes(control.value);
    else control.value = said[0] ?? "";
  }
  return fields.filter(([name, value]) => value && !form.elements.namedItem(name));
}
