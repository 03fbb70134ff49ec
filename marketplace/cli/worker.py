"""`marketplace worker`: carry out background functions."""

import os

import click

from marketplace import factory
from marketplace.cli.environment import settings_from
from marketplace.worker import names, serve


@click.command()
def worker() -> None:
    """Work until SIGTERM, one background function after the other."""
    settings = settings_from(os.environ)
    names.bind_all()
    factory.start(settings)
    serve.serve(settings.redis_url)
