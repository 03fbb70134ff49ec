"""What axe finds on a page: WCAG 2.2 A and AA, and what is good practice."""

from __future__ import annotations

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PRESENT = "'axe' in window"
# Axe is half a megabyte of script, so a page reads it once. Only what is wrong comes back, and
# what rules for films and sheets would fetch anew is left where it is.
RUN = """async ([rules, without]) => {
  const options = {runOnly: rules, resultTypes: ["violations"], preload: false};
  const found = await axe.run({exclude: without.map(each => [each])}, options);
  return found.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 200))]);
}"""


def violations(
    page: Page, rules: Sequence[str] = RULES, *, without: Sequence[str] = ()
) -> list[tuple[str, list[str]]]:
    """What axe finds: the rule, and where. rules: tags, or names; without: parts not looked at."""
    if not page.evaluate(PRESENT):
        page.evaluate(Axe().axe_script)
    found = page.evaluate(RUN, [list(rules), list(without)])
    return [(rule, places) for rule, places in found]
