"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "marketplace"
FILES = sorted(
    path
    for folder in ("marketplace", "migrations", "tests", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if "vendor" not in path.parts
)
SOURCES = [path for path in FILES if PACKAGE in path.parents]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
BANNED = {
    "utils",
    "helpers",
    "manager",
    "base",
    "common",
    "data",
    "info",
    "handle",
    "process",
    "misc",
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path, *, where: str = "") -> ast.Module:
    """The parsed file; an empty one where its text cannot hold what is looked for."""
    text = path.read_text(encoding="utf-8")
    return ast.parse(text if re.search(where, text) else "")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    doc = node.body[0] if ast.get_docstring(node) is not None else None
    docstring = (doc.end_lineno or 0) - doc.lineno + 1 if doc is not None else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_no_file_is_long() -> None:
    long = {
        named(path): lines
        for path in FILES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    }

    assert {} == long


def test_no_function_is_long() -> None:
    long = {
        f"{named(path)}:{node.lineno} {node.name}": length(node)
        for path in FILES
        if path.read_bytes().count(b"\n") > FUNCTION_LINES_MAX
        for node in functions(path)
        if length(node) > FUNCTION_LINES_MAX
    }

    assert {} == long


def test_scripts_and_styles_are_short_too() -> None:
    long = {
        named(path): lines
        for pattern in ("*.js", "*.css")
        for path in (PACKAGE / "static").rglob(pattern)
        if "vendor" not in path.parts
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    }

    assert {} == long


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [] == [named(path) for path in FILES if path.stem in BANNED]


def test_only_db_commits() -> None:
    calls = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        if path != PACKAGE / "db.py"
        and "sandbox" not in path.parts  # A program of its own, with a database of its own.
        for node in ast.walk(tree_of(path, where=r"\b(commit|rollback)\b"))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback"}
    ]

    assert [] == calls


def test_only_the_clock_asks_for_the_time() -> None:
    asked = [
        f"{named(path)}:{number}"
        for path in SOURCES
        if path.name != "clock.py" and "sandbox" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"datetime\.(now|utcnow|today)\(|date\.today\(", line)
    ]

    assert [] == asked


def test_pages_write_no_sql() -> None:
    """A view may name the Session that it passes on, and nothing else of SQLAlchemy."""
    allowed = {("sqlalchemy.orm", "Session")}
    imported = [
        f"{named(path)}:{node.lineno}"
        for path in (PACKAGE / "web").rglob("*.py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] == "sqlalchemy"
        and not {(node.module, name.name) for name in node.names} <= allowed
        and path.name != "health.py"  # Readiness asks the database whether it is there.
    ]

    assert [] == imported


def test_no_except_exception_outside_the_worker() -> None:
    caught = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        if "worker" not in path.parts
        for node in ast.walk(tree_of(path, where=r"\bexcept(\s*:|[\s(]+Exception\b)"))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]

    assert [] == caught


@pytest.mark.parametrize("package", sorted(p.parent for p in PACKAGE.glob("*/__init__.py")))
def test_every_slice_has_a_charter(package: Path) -> None:
    charter = ast.get_docstring(tree_of(package / "__init__.py")) or ""

    assert len(charter) > 100, f"{package.name} says too little about what it owns."


def test_public_functions_have_docstrings() -> None:
    slices = ("service", "queries", "rules")
    bare = [
        f"{named(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        if path.stem in slices or path.parent.name in slices
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]

    assert [] == bare


def test_nothing_is_left_undone() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    found = [
        f"{named(path)}:{number}"
        for path in [*SOURCES, *(ROOT / "templates").rglob("*.html")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]

    assert [] == found
