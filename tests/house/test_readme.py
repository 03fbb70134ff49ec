"""The README lists every setting and every command as the product knows them.

`python -m tests.house.test_readme` writes both tables anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import marketplace
from marketplace.cli.frame import COMMANDS
from marketplace.settings import TABLE

README = Path(marketplace.__file__).parents[1] / "README.md"


def settings_table() -> str:
    """A row for each setting: its name, its meaning, what it is when unset."""
    rows = ["| setting | meaning | when unset |", "|---|---|---|"]
    for setting in TABLE:
        unset = "required" if setting.default is None else f"`{setting.default or ' '}`"
        rows.append(f"| `{setting.name}` | {setting.meaning} | {unset.replace('` `', 'empty')} |")
    return "\n".join(rows)


def commands_table() -> str:
    """A row for each command of `marketplace`."""
    rows = ["| command | what it does |", "|---|---|"]
    rows += [f"| `marketplace {name}` | {lazy.summary} |" for name, lazy in COMMANDS.items()]
    return "\n".join(rows)


TABLES = {"settings": settings_table, "commands": commands_table}


def between(text: str, name: str) -> str:
    """What stands between the two marks of a table."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert found is not None, f"The README has lost its marks for {name}."
    return found.group(1).strip()


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_table_is_what_the_product_knows(name: str) -> None:
    written = between(README.read_text(encoding="utf-8"), name)

    assert TABLES[name]() == written, "Run `python -m tests.house.test_readme`."


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))

    assert [] == [link for link in links if not (README.parent / link).exists()]
    assert (README.parent / "docs" / "screenshot.png").stat().st_size < 300_000


def test_every_make_target_that_it_names_exists() -> None:
    named = set(re.findall(r"^ *make (?:-s )?([a-z-]+)", README.read_text(), re.MULTILINE))
    targets = set(
        re.findall(r"^([a-z-]+):", (README.parent / "Makefile").read_text(), re.MULTILINE)
    )

    assert set() == named - targets
    assert named


def main() -> None:
    """Write the tables anew, each between its two marks."""
    text = README.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        head, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{head}{mark}{table()}\n{rest[rest.index(f'<!-- /{name} -->') :]}"
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
