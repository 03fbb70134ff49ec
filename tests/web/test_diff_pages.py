"""Diffs on pages: what is folded, which words changed, and signs that nobody would see."""

from __future__ import annotations

from marketplace.tasktypes.diffs import files_of
from marketplace.web import diff_pages

REWRITTEN = """--- a/x.py
+++ b/x.py
@@ -1,4 +1,4 @@
 same
-total = a + b
-odd()
+total = a - b
+else_(1, 2)
 end
"""


def test_words_that_changed_are_told_apart() -> None:
    (file,) = files_of(REWRITTEN)

    found = [(line.text, parts) for line, parts in diff_pages.worded(file.hunks[0].lines)]

    assert ["same", "total = a + b", "odd()", "total = a - b", "else_(1, 2)", "end"] == [
        text for text, _ in found
    ]
    assert [("total = a ", False), ("+", True), (" b", False)] == found[1][1]
    assert [("total = a ", False), ("-", True), (" b", False)] == found[3][1]
    assert [("odd()", False)] == found[2][1]
    assert all(text == "".join(part for part, _ in parts) for text, parts in found)


def test_the_first_of_unequal_stretches_are_held_against_each_other() -> None:
    (file,) = files_of("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-return total\n+return amount\n+done\n")

    (_, old), (_, new), (_, more) = diff_pages.worded(file.hunks[0].lines)

    assert [("return ", False), ("total", True)] == old
    assert ([("return ", False), ("amount", True)], [("done", False)]) == (new, more)
    assert "lines 1–2" == diff_pages.span(file.hunks[0])  # noqa: RUF001


def test_long_files_and_those_of_programs_are_folded() -> None:
    def file(name: str, lines: int) -> str:
        head = f"--- a/{name}\n+++ b/{name}\n@@ -0,0 +1,{lines} @@\n"
        return head + "".join(f"+line {number}\n" for number in range(lines))

    shown = diff_pages.shown_diff(file("a.py", 5) + file("b.py", 500) + file("yarn.lock", 3))

    assert ["", "folded, since it is long", "folded, since a program wrote it"] == [
        each.why_folded for each in shown
    ]
    assert [""] == [each.why_folded for each in diff_pages.shown_diff(file("b.py", 3_000))]


def test_signs_that_turn_the_reading_are_shown() -> None:
    assert "if access ⟨U+202E⟩admin" == diff_pages.visible("if access \u202eadmin")
    assert "👩\u200d⚕️\tok" == diff_pages.visible("👩\u200d⚕️\tok")
