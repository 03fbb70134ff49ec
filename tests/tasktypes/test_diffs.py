"""Unified diffs of every kind that git writes, and of the kinds that it never would."""

from __future__ import annotations

import json
from pathlib import Path

from marketplace.tasktypes.diffs import Line, files_of, lines_of, path_of

ODD = r"""diff --git a/old name.txt b/new name.txt
similarity index 90%
rename from old name.txt
rename to new name.txt
index 1..2 100644
--- a/old name.txt
+++ b/new name.txt
@@ -1,2 +1,2 @@ def f():
 a
-b
+c
\ No newline at end of file
diff --git "a/caf\303\251 \"x\".txt" "b/caf\303\251 \"x\".txt"
deleted file mode 100644
index 1..0
--- "a/caf\303\251 \"x\".txt"
+++ /dev/null
@@ -1 +0,0 @@
-hello
diff --git a/logo.png b/logo.png
index 1..2 100644
Binary files a/logo.png and b/logo.png differ
diff --git a/run me.sh b/run me.sh
old mode 100644
new mode 100755
"""
PLAIN = "--- a.py\t2026-01-01\n+++ a.py\t2026-01-02\n@@ -1 +1 @@\n-x\n+y\n"


def test_every_kind_of_change_is_read() -> None:
    renamed, deleted, binary, mode = files_of(ODD)

    assert ("old name.txt", "new name.txt", {"renamed"}) == (
        renamed.old,
        renamed.new,
        renamed.changes,
    )
    assert "def f():" == renamed.hunks[0].head
    assert Line("added", None, 2, "c", ends=False) == renamed.hunks[0].lines[-1]
    assert ('café "x".txt', {"deleted"}, 1) == (
        deleted.path,
        deleted.changes,
        deleted.count("removed"),
    )
    assert ("logo.png", {"binary"}, []) == (binary.path, binary.changes, binary.hunks)
    assert ("run me.sh", {"mode"}) == (mode.path, mode.changes)
    assert {
        ("new name.txt", "new"): {1, 2},
        ("new name.txt", "old"): {1, 2},
        ("old name.txt", "old"): {1, 2},
        ('café "x".txt', "old"): {1},
    } == lines_of(ODD)


def test_carriage_returns_are_the_mails_or_the_files() -> None:
    (whole,) = files_of(PLAIN.replace("\n", "\r\n"))
    (one,) = files_of(PLAIN.replace("+y\n", "+y\r\n"))

    assert ("a.py", [False, False]) == (
        whole.path,
        [line.returns for line in whole.hunks[0].lines],
    )
    assert [("x", False), ("y", True)] == [(line.text, line.returns) for line in one.hunks[0].lines]


def test_wrong_lengths_lose_no_line_and_take_no_other_file() -> None:
    short = PLAIN + "+z\n-- \n2.39.1\n"
    long = PLAIN.replace("@@ -1 +1 @@", "@@ -1,9 +1,9 @@") + "diff --git a/b b/b\n" + PLAIN

    assert ["x", "y", "z"] == [line.text for line in files_of(short)[0].hunks[0].lines]
    assert [2, 2] == [len(file.hunks[0].lines) for file in files_of(long)]


def test_what_is_no_diff_has_no_files() -> None:
    texts = ("", "just text", "--- a\n+++ b\n", "@@ -1 +1 @@\n-x\n+y\n", "\n\n+++ \n@@")

    assert [[]] * len(texts) == [files_of(text) for text in texts]


def test_paths_lose_what_git_adds() -> None:
    written = ("a/x.py", "/dev/null", '"b/\\"q\\"\\t.py"', "src/a b.py\t2026-01-01", '"')

    assert ["x.py", "", '"q"\t.py', "src/a b.py", '"'] == [path_of(each) for each in written]


def test_patches_of_agents_are_read(sample_data: Path) -> None:
    found = []
    for path in sorted((sample_data / "swe_agent_traj").rglob("*.traj")):
        patch = json.loads(path.read_bytes()).get("info", {}).get("submission") or ""
        found += [(file.path, len(file.hunks)) for file in files_of(patch)]

    assert 8 <= len(found)
    assert {("main.py", 1), ("src/marshmallow/fields.py", 1)} <= set(found)
