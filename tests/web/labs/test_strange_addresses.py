"""What follows the ? in addresses of the lab's pages is anybody's: never a failure of ours."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from tests.make import work
from tests.web.conftest import Browser

HUGE = "9" * 40
STRANGE = (
    f"/lab/jobs/{{job}}/gold?after={HUGE}",
    "/lab/jobs/{job}/gold?after=-1",
    "/lab/jobs/{job}/disagreements?unit=%00&first=%00&part=a=%00b",
    f"/lab/jobs/{{job}}/contested?after={HUGE}",
    f"/lab/review/{{job}}?at={HUGE}&after=x&reason=none&author=%00&defect=%00",
)


def test_strange_addresses_show_pages(browse: Callable[[], Browser], session: Session) -> None:
    lab, job = work.published(session, items=1, review_sample_ratio=1.0)
    browser = browse().sign_in(session, lab)

    statuses = {each: browser.get(each.format(job=job.id)).status_code for each in STRANGE}

    assert dict.fromkeys(STRANGE, 200) == statuses
