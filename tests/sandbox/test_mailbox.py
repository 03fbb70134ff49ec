"""The mailbox page: newest first, as text, with links, and nothing outside its folder."""

from __future__ import annotations

import os
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest


def write(folder: Path, name: str, subject: str, text: str, *, at: int, html: str = "") -> None:
    letter = EmailMessage()
    letter["From"] = "Marketplace <no-reply@localhost>"
    letter["To"] = "doctor@demo.test"
    letter["Subject"] = subject
    if text:
        letter.set_content(text)
    if html:
        letter.set_content(html, subtype="html")
    path = folder / name
    path.write_bytes(letter.as_bytes())
    os.utime(path, (at, at))


@pytest.fixture
def letters(mailbox_folder: Path) -> Path:
    for old in mailbox_folder.iterdir():
        old.unlink()
    write(mailbox_folder, "a.eml", "First", "Confirm at http://localhost:8000/v?a=1&b=2.", at=1_000)
    write(mailbox_folder, "b.eml", "Second <b>", "Grüße <script>alert(1)</script>", at=2_000)
    (mailbox_folder / "half.part").write_bytes(b"not whole yet")
    return mailbox_folder


def test_messages_are_listed_newest_first(sandbox: str, letters: Path) -> None:
    page = httpx.get(f"{sandbox}/mailbox").text

    assert 0 < page.index("Second &lt;b&gt;") < page.index("First")
    assert "half" not in page


def test_a_message_shows_its_text_with_links_and_no_markup(sandbox: str, letters: Path) -> None:
    first = httpx.get(f"{sandbox}/mailbox/a.eml").text
    second = httpx.get(f"{sandbox}/mailbox/b.eml").text

    assert (
        '<a href="http://localhost:8000/v?a=1&amp;b=2" rel="noreferrer">'
        "http://localhost:8000/v?a=1&amp;b=2</a>." in first
    )
    assert "Grüße &lt;script&gt;alert(1)&lt;/script&gt;" in second


def test_an_html_message_is_shown_as_text(sandbox: str, letters: Path) -> None:
    write(
        letters,
        "c.eml",
        "Only HTML",
        "",
        at=3_000,
        html='<style>p{}</style><p>Hello <a href="https://example.org/x">you</a></p>',
    )

    page = httpx.get(f"{sandbox}/mailbox/c.eml").text

    assert "Hello" in page
    assert 'href="https://example.org/x"' in page
    assert "p{}" not in page


def test_messages_are_found_by_address(sandbox: str, letters: Path) -> None:
    assert "First" in httpx.get(f"{sandbox}/mailbox", params={"to": "DOCTOR@"}).text
    assert "No message to" in httpx.get(f"{sandbox}/mailbox", params={"to": "lawyer"}).text


@pytest.mark.parametrize("name", ["..%2Fsecret.eml", "none.eml", ".eml", "a.txt", "%00.eml"])
def test_nothing_but_messages_is_read(sandbox: str, letters: Path, name: str) -> None:
    (letters.parent / "secret.eml").write_text("secret")

    assert httpx.get(f"{sandbox}/mailbox/{name}").status_code == 404


def test_an_empty_mailbox_says_so(sandbox: str, letters: Path) -> None:
    for letter in letters.glob("*.eml"):
        letter.unlink()

    assert "No message yet" in httpx.get(f"{sandbox}/mailbox").text
