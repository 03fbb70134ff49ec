"""The WSGI application as a server loads it: settings from the environment, all faults at once."""

import os

from flask import Flask

from marketplace.cli.environment import settings_from
from marketplace.factory import create_app


def application() -> Flask:
    """The application of this process."""
    return create_app(settings_from(os.environ))
