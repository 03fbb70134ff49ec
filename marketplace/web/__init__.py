"""The web layer: pages and the public API, thin, split by audience.

Views load a form, open the transaction, call one verb and redirect; they write no SQL and call no
gateway. Guards, errors, frame and headers are set up once, in `factory.create_app`.
"""

from typing import cast

from flask import current_app

from marketplace.settings import Settings

EXTENSION = "marketplace"


def settings() -> Settings:
    """The settings that this application was made with."""
    return cast("Settings", current_app.extensions[EXTENSION].settings)
