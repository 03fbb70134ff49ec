"""A lab's server that takes webhooks: what it answers, and what it shows."""

from __future__ import annotations

import httpx


def test_what_is_posted_is_shown_and_answered_as_the_path_says(sandbox: str) -> None:
    sent = {"webhook-id": "one", "webhook-signature": "v1,abc"}
    body = {"type": "export.finished", "data": {"note": "<b>bold</b>"}}

    statuses = [
        httpx.post(f"{sandbox}/hooks/{path}", json=body, headers=sent, timeout=5).status_code
        for path in ("lab", "broken/deep", "gone", "busy")
    ]
    shown = httpx.get(f"{sandbox}/hooks", timeout=5).text

    assert [200, 500, 410, 429] == statuses
    assert [4, 4] == [shown.count("export.finished</h2>"), shown.count("v1,abc")]
    assert "to /hooks/broken/deep" in shown
    assert "&lt;b&gt;bold&lt;/b&gt;" in shown
    assert "<b>bold" not in shown


def test_what_is_no_json_is_shown_as_it_came(sandbox: str) -> None:
    httpx.post(f"{sandbox}/hooks/x", content=b"\xff{", timeout=5)

    assert "\ufffd{" in httpx.get(f"{sandbox}/hooks", timeout=5).text
