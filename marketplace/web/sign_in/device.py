"""The browser as a mark: two people who sign in with one may not judge one item, where a job says
so. The cookie is random and says nothing; only its keyed hash is stored.
"""

from __future__ import annotations

import re
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.secrets import new_token
from marketplace.specialists.service import links
from marketplace.web import settings

COOKIE = "device"
YEARS_SECONDS = 2 * 365 * 86_400
_TOKEN = re.compile(r"dev_[A-Za-z0-9_-]{43}")


def seen(session: Session, person_id: UUID) -> str:
    """Remember that a person signed in with this browser; the mark for it to keep."""
    carried = request.cookies.get(COOKIE, "")
    mark = carried if _TOKEN.fullmatch(carried) else new_token("dev")
    links.seen_device(session, person_id, mark)
    return mark


def keep(answer: Response, mark: str) -> Response:
    """Let the browser carry its mark on, signed in or not."""
    answer.set_cookie(
        COOKIE,
        mark,
        max_age=YEARS_SECONDS,
        secure=settings().public_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
    return answer
