"""Tax forms of people who were erased: emptied when the law asks for them no longer."""

from __future__ import annotations

from marketplace import clock, outbox, settings
from marketplace.db import transaction
from marketplace.payouts.service.tax_forms import purge_forms


@outbox.background("payouts.purge_tax_forms", time_limit_seconds=300, every_seconds=86_400)
def purge_tax_forms(work: outbox.Work) -> None:
    """Empty every form whose day has come."""
    today = clock.book_day(clock.now(), settings.current().book_timezone)
    with transaction() as session:
        while purge_forms(session, today):
            session.flush()  # The next look must not see these again.
        outbox.done(session, work)
