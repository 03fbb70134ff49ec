"""Every fault scenario of the specification has a test that bears its number."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SCENARIOS = range(1, 43)
NAMED = re.compile(r"^def test_scenario_(\d+)_", re.MULTILINE)
MARKED = re.compile(r"^@scenario\((\d+(?:, *\d+)*)\)", re.MULTILINE)


def test_all_42_scenarios_have_a_test() -> None:
    found: set[int] = set()
    for path in TESTS.rglob("test_*.py"):
        source = path.read_text(encoding="utf-8")
        found |= {int(number) for number in NAMED.findall(source)}
        for numbers in MARKED.findall(source):
            found |= {int(number) for number in numbers.split(",")}

    assert [] == sorted(set(SCENARIOS) - found)
