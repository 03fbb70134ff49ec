"""`marketplace sandbox`: every outside service, emulated, for development and demonstrations."""

import os

import click

from marketplace.cli.environment import Faulty
from marketplace.sandbox.server import serve
from marketplace.sandbox.settings import SandboxSettings
from marketplace.settings import SettingsFaulty


@click.command()
def sandbox() -> None:
    """Serve until SIGTERM; needs SANDBOX_DATABASE_URL and takes no live key."""
    try:
        settings = SandboxSettings.from_environ(os.environ)
    except SettingsFaulty as faulty:
        raise Faulty(faulty.faults) from faulty
    serve(settings)
