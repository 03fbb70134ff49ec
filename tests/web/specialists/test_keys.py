"""Keys: no two controls of a page share one, each has its words, moves that collide are refused."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Faulty
from marketplace.tasktypes import TASK_TYPES
from marketplace.web.specialists.keys import FRAME_KEYS, TYPE_KEYS, used_keys
from marketplace.work import queries, service
from marketplace.work.rules.keys import checked
from tests.web.conftest import Browser
from tests.web.specialists.test_workbench import job_of, started

KEY = re.compile(r'data-key="([^"]+)"')


@pytest.mark.parametrize("kind", list(TASK_TYPES))
def test_no_two_controls_share_a_key_and_each_has_its_words(
    desk: Browser, session: Session, kind: str
) -> None:
    page = desk.get(started(desk, job_of(session, kind))).text
    found = [key for key in KEY.findall(page) if key != "enter"]

    assert set(FRAME_KEYS) <= set(found)
    assert [] == sorted(key for key in set(found) if found.count(key) > 1)
    named = {*FRAME_KEYS, *TYPE_KEYS.get(kind, {}), *"0123456789"}
    assert set() == set(found) - named
    assert set() == set(TYPE_KEYS.get(kind, {})) & set(FRAME_KEYS)


def test_a_key_moves_and_comes_back(session: Session, doctor: Actor) -> None:
    service.move_keys(session, doctor, {"a": "`", "t": "t", "b": ""}, used_keys())
    assert {"a": "`"} == queries.moved_keys(session, doctor)

    service.move_keys(session, doctor, {}, used_keys())
    assert {} == queries.moved_keys(session, doctor)


def test_two_keys_may_change_places_but_not_share_one() -> None:
    used = {"Pairwise": {"a", "b", "t"}, "Code": {"x"}}

    assert {"a": "b", "b": "a"} == checked({"a": "b", "b": "a"}, used)
    assert {"a": "x"} == checked({"a": "x"}, used)
    for moved in ({"a": "b"}, {"a": "z", "b": "z"}, {"a": "enter"}, {"a": "é"}):
        with pytest.raises(Faulty) as refused:
            checked(moved, used)
        assert {fault.pointer for fault in refused.value.faults} <= {"/keys/a", "/keys/b"}


def test_the_page_of_keys_refuses_a_shared_one_and_keeps_the_rest(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    refused = desk.post("/work/keys", {"keys.a": "b"})
    assert 422 == refused.status_code
    assert "Move that one too." in refused.text

    kept = desk.post("/work/keys", {"keys.a": "`"})
    assert (303, {"a": "`"}) == (kept.status_code, queries.moved_keys(session, doctor))
    desk.post("/work/keys", {"keys.a": "`", "reset": "1"})
    assert {} == queries.moved_keys(session, doctor)
