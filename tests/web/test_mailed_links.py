"""What stands in a mailed link reaches the form of its page; files are closed once sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.make import identity as make
from tests.web.conftest import Browser


def test_the_page_of_a_mailed_link_carries_the_links_own_token(browser: Browser) -> None:
    page = browser.get("/verify-email?token=mkl_from_the_mail").get_data(as_text=True)

    assert 'name="token" value="mkl_from_the_mail"' in page


def test_the_page_for_a_new_password_carries_the_links_own_token(
    browser: Browser, session: Session
) -> None:
    someone = make.person(session)
    browser.post("/reset-password", {"email": someone.email})
    mailed = make.mailed_token(session, someone.email)

    page = browser.get(f"/reset-password/new?token={mailed}").get_data(as_text=True)

    assert f'name="token" value="{mailed}"' in page


@pytest.mark.parametrize("encoding", ["zstd", "br"])
def test_a_compressed_file_is_closed_once_it_is_sent(
    browse: Callable[[], Browser], encoding: str
) -> None:
    answer = browse().get("/static/css/parts.css", **{"Accept-Encoding": encoding})
    assert encoding == answer.headers["Content-Encoding"]

    # A file that nobody closes warns when it is collected, and warnings are errors.
    assert answer.get_data()
    answer.close()
