"""Every kind of fact that is announced is either public and documented, or internal and why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from marketplace.delivery.rules.kind_facts import FACTS
from marketplace.delivery.rules.kinds import INTERNAL, KINDS, PUBLIC, is_internal

PACKAGE = Path(__file__).resolve().parents[2] / "marketplace"
TELLERS = {"announce", "_announce", "fact", "_tell"}
# What may stand in the hole of such a name, where its beginning does not make it internal.
HOLES = {
    "task.": (
        "accepted", "rejected", "rework", "surplus_accepted", "surplus_rejected", "in_review",
        "cannot_complete", "guideline_gap", "opted_out",
    ),
    "appeal.": ("filed", "assigned", "upheld", "denied", "withdrawn", "lapsed", "overtaken"),
    "top_up.": ("requested", "checkout_open", "settling", "posted", "failed", "expired",
                "clearing", "returned"),
    "refund.": ("asked", "ready", "sending", "unknown", "pending", "sent", "returned", "refused",
                "cancelled"),
    "invoice.": ("issued", "open", "partly_paid", "paid", "void"),
    "dispute.": ("inquiry", "open", "won", "lost", "closed"),
    "payout.": ("draft", "approved", "submitting", "transferred", "rejected", "unknown",
                "cancelled", "bank_pending", "bank_paid", "bank_failed"),
}  # fmt: skip


def announced() -> Iterator[tuple[str, str]]:
    """(where, kind) of every name that is announced; the beginning of one with a hole in it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if {"sandbox", "client"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and name_of(node.func) in TELLERS:
                for kind in kinds_in(node.args[:3]):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", kind


def name_of(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def kinds_in(arguments: list[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        for node in ast.walk(argument):
            if isinstance(node, ast.JoinedStr):
                head = node.values[0]
                if isinstance(head, ast.Constant) and str(head.value).endswith("."):
                    yield str(head.value)
                break
            if isinstance(node, ast.Constant) and "." in str(node.value):
                yield str(node.value)


def test_every_announced_kind_is_public_or_internal() -> None:
    told = [
        (where, f"{kind}{rest}")
        for where, kind in announced()
        for rest in (HOLES.get(kind, ("",)) if kind.endswith(".") else ("",))
    ]

    assert len(told) > 60
    assert [] == [f"{where}: {kind}" for where, kind in told
                  if kind not in PUBLIC and not is_internal(kind)]  # fmt: skip


def test_the_catalogue_is_whole() -> None:
    assert [] == [kind for kind in PUBLIC if is_internal(kind)]
    facts = {fact for each in KINDS.values() for fact in each.facts}
    assert sorted(FACTS) == sorted(facts)
    assert [] == [each.kind for each in KINDS.values() if not each.says.endswith((".", "`"))]
    assert all(INTERNAL.values())
