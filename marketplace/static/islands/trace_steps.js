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

// What each part of a run's page has for its steps: fields that belong to no form, since only
// `marks` is sent, whatever happens to be drawn; and buttons after them, as [name, words]. Built
// once, and copied for each step that is drawn: {rating, asks}. Most steps show their rating alone,
// and a page scrolls well only where it need not draw what nobody sees.
export function stencil(template, actions) {
  const rating = template.content.firstElementChild.cloneNode(true);
  for (const control of rating.querySelectorAll("input, select")) {
    control.setAttribute("form", "none");
    control.dataset.part = control.name.slice(control.name.lastIndexOf(".") + 1);
  }
  const asks = document.createElement("div");
  asks.append(...[...rating.children].slice(1));
  for (const [action, words] of actions) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button plain", textContent: words });
    button.dataset.action = action;
    asks.append(button);
  }
  return { rating, asks };
}

// The rating of a step; `ask` adds the rest.
export function controls(stencilled, id, number) {
  return copy(stencilled.rating, id, number);
}

// Add what else is asked of a step, once; what stands there already stays, and keeps the focus.
export function ask(marks, stencilled, id, number) {
  if (marks.childElementCount > 1) return;
  marks.append(...copy(stencilled.asks, id, number).children);
}

function copy(part, id, number) {
  const made = part.cloneNode(true);
  for (const control of made.querySelectorAll("[name]")) control.name = control.name.replace("STEP", id);
  for (const named of [made, ...made.querySelectorAll("[aria-label]")]) {
    const label = named.getAttribute("aria-label");
    if (label) named.setAttribute("aria-label", label.replace("NUMBER", number));
  }
  return made;
}
