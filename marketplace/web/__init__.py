"""The web layer: pages and the public API, thin, split by audience.

Views load a form, open the transaction, call one verb and redirect; they write no SQL and call no
gateway. Guards, errors, frame and headers are set up once, in `factory.create_app`.

Decided 2026-11: a task on a cold cache weighs at most 150 KB before images, so static texts are
compressed once and hard, the sheets of every page travel as one, and the serif comes in the two
weights that are used. A program's call has no form session and only the headers that it needs, and
is asked who it is on a line that each thread keeps. Pipelines of statements were measured and left
out: psycopg spends more on them than they save.
"""

from typing import cast

from flask import current_app

from marketplace.settings import Settings

EXTENSION = "marketplace"


def settings() -> Settings:
    """The settings that this application was made with."""
    return cast("Settings", current_app.extensions[EXTENSION].settings)
