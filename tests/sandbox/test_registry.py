"""The register of providers: who is in it, and how it misbehaves."""

from __future__ import annotations

import httpx
import pytest

from marketplace.sandbox.control_client import ControlClient


def ask(sandbox: str, **wanted: str) -> httpx.Response:
    asked = {"version": "2.1", **wanted}
    return httpx.get(f"{sandbox}/registry/nppes/api/", params=asked, timeout=5)


def test_a_number_is_one_provider_and_an_unknown_one_is_none(sandbox: str) -> None:
    found = ask(sandbox, number="1900000005").json()
    nobody = ask(sandbox, number="1999999992").json()

    assert (1, "1900000005", "AVERY") == (
        found["result_count"],
        found["results"][0]["number"],
        found["results"][0]["basic"]["first_name"],
    )
    assert {"result_count": 0, "results": []} == nobody


def test_two_people_share_a_name_and_a_state(sandbox: str) -> None:
    found = ask(sandbox, first_name="marlow", last_name="THISTLEWOOD", state="CA", limit="200")

    assert ["A009001", "A009002"] == [
        row["taxonomies"][0]["license"] for row in found.json()["results"]
    ]


def test_a_question_without_criteria_is_an_error_inside_a_200(sandbox: str) -> None:
    answer = ask(sandbox)

    assert 200 == answer.status_code
    assert ["Errors"] == list(answer.json())


def test_people_can_be_added_and_changed(sandbox: str, controls: ControlClient) -> None:
    number = controls.register(stem="123450000", first="Isolde", last="Quillfeather", state="NY")
    controls.register(number=number, first="Isolde", last="Quillfeather", state="NY", active=False)

    assert ["D"] == [
        row["basic"]["status"] for row in ask(sandbox, number=number).json()["results"]
    ]


@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [
        ("rate_limit", 429, "Too many"),
        ("errors", 200, '{"Errors"'),
        ("not_json", 200, "<html>"),
        ("error_503", 503, "Service"),
        ("empty", 200, '{"result_count":0'),
    ],
)
def test_it_misbehaves_once_when_asked(
    sandbox: str, controls: ControlClient, kind: str, status: int, begins: str
) -> None:
    controls.registry_fault(kind, seconds=7)

    bent, well = ask(sandbox, number="1900000005"), ask(sandbox, number="1900000005")

    assert (status, True) == (
        bent.status_code,
        bent.text.replace(" ", "").startswith(begins.replace(" ", "")),
    )
    assert ("7" if kind == "rate_limit" else None) == bent.headers.get("Retry-After")
    assert (200, 1) == (well.status_code, well.json()["result_count"])


def test_it_falls_silent_when_asked(sandbox: str, controls: ControlClient) -> None:
    controls.registry_fault("timeout", seconds=0.1)
    controls.registry_fault("drop")

    for _ in range(2):
        with pytest.raises(httpx.HTTPError):
            ask(sandbox, number="1900000005")


def test_its_page_names_everyone_and_its_controls_want_the_key(sandbox: str) -> None:
    listed = httpx.get(f"{sandbox}/registry")
    refused = httpx.post(f"{sandbox}/sandbox/control/registry/faults", json={"kind": "drop"})

    assert "Avery Ashdown" in listed.text
    assert 401 == refused.status_code
