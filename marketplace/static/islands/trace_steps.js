// A step of a run as the list keeps it, and the fields that judge it.

// What is remembered of a step that the server rendered; its own fields are left out.
export function kept(article) {
  article.querySelector(".marks")?.remove();
  const { step: id, kind, agent, label } = article.dataset;
  return {
    id, kind, agent, label, judged: "judged" in article.dataset,
    failed: "failed" in article.dataset, html: article.outerHTML,
    text: article.textContent.toLowerCase(), height: guess(article),
  };
}

// About how tall it will be: a line takes some twenty pixels.
function guess(article) {
  let lines = 0;
  for (const block of article.querySelectorAll(".part > pre, .material")) {
    lines += 1 + block.textContent.split("\n").length + block.textContent.length / 140;
  }
  return 90 + 20 * lines;
}

// Fields that belong to no form, since only `marks` is sent, whatever happens to be drawn; and
// buttons after them, `actions` as [name, words].
export function controls(template, id, number, actions) {
  const holder = document.createElement("template");
  holder.innerHTML = template.innerHTML.replaceAll("STEP", id).replaceAll("NUMBER", String(number));
  for (const control of holder.content.querySelectorAll("input, select")) {
    control.setAttribute("form", "none");
    control.dataset.part = control.name.slice(control.name.lastIndexOf(".") + 1);
  }
  const marks = holder.content.firstElementChild;
  for (const [action, words] of actions) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button plain", textContent: words });
    button.dataset.action = action;
    marks.append(button);
  }
  return marks;
}
