"""Changes since an export: whatever happened between, applied to the former they give the new."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from marketplace.delivery.background.changes import Change, changes
from marketplace.delivery.rules.bundle import formats_of
from marketplace.tasktypes import AuthoredJudgement, Counts, ExportRow, Record, line, task_type
from tests.tasktypes.examples import EXAMPLES

FORMATS = formats_of(task_type("pairwise"))
# For each item its judgements: who chose what, in which round. An item that nobody judged is not
# read at all.
Votes = Mapping[str, Mapping[str, tuple[str, int]]]
votes = st.dictionaries(
    st.sampled_from("ABCD"),
    st.dictionaries(
        st.sampled_from("xyz"),
        st.tuples(st.sampled_from(["a", "b", "tie"]), st.integers(1, 2)),
        min_size=1,
    ),
)


def records(given_votes: Votes) -> dict[str, Record]:
    """The records of some items, in the order of their ids."""
    return {
        item: Record(
            item_id=item,
            external_id=f"row-{item}",
            task_type="pairwise",
            payload=EXAMPLES["pairwise"].payload,
            judgements=tuple(
                AuthoredJudgement(
                    annotation_id=f"{item}{who}", judgement={"choice": choice}, author=who,
                    round=turn,
                )
                for who, (choice, turn) in sorted(given_votes[item].items())
            ),
        )
        for item in sorted(given_votes)
    }  # fmt: skip


def rows_of(form: str, policy: str, found: Mapping[str, Record]) -> list[ExportRow]:
    return list(FORMATS[form].rows(found.values(), policy, Counts()))


@given(then=votes, now=votes)
def test_judgements_that_are_new_changed_or_withdrawn_make_the_new_set(
    then: Votes, now: Votes
) -> None:
    before, after = records(then), records(now)
    held = {row["annotation_id"]: row for row in rows_of("raw", "all", before)}

    for found in changes(FORMATS["raw"], "all", Counts(), before, after):
        for row in found.rows:
            change = Change(row["change"])
            assert (change is Change.NEW) == (row["annotation_id"] not in held)
            if change is Change.WITHDRAWN:
                del held[row["annotation_id"]]
            else:
                held[row["annotation_id"]] = {
                    name: value for name, value in row.items() if name != "change"
                }

    assert {row["annotation_id"]: row for row in rows_of("raw", "all", after)} == held


@given(then=votes, now=votes)
def test_items_that_changed_make_the_new_set_of_any_format(then: Votes, now: Votes) -> None:
    before, after = records(then), records(now)
    held = {item: rows_of("trl_preference", "majority", {item: before[item]}) for item in before}

    counts = Counts()
    found = list(changes(FORMATS["trl_preference"], "majority", counts, before, after))
    for each in found:
        was = bool(held.get(each.record.item_id))
        assert (each.change is Change.NEW) == (not was)
        held[each.record.item_id] = list(each.rows)

    told = [line(row) for item in sorted(held) for row in held[item]]
    whole = rows_of("trl_preference", "majority", after)
    assert [line(row) for row in whole] == told
    assert sum(len(each.rows) for each in found) == counts.rows
    assert counts.read == counts.kept + counts.dropped.total() == len(after)
