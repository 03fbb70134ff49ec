"""`marketplace relay`: hand out background work, keep the schedule, number what was announced."""

import os

import click
from redis import Redis

from marketplace import factory
from marketplace.cli.environment import settings_from
from marketplace.worker import names
from marketplace.worker.relay import Relay

REDIS_SECONDS = 5


@click.command()
def relay() -> None:
    """Relay until SIGTERM."""
    settings = settings_from(os.environ)
    names.bind_all()
    factory.start(settings)
    with Redis.from_url(
        settings.redis_url, socket_connect_timeout=1, socket_timeout=REDIS_SECONDS
    ) as redis:
        Relay(redis).run()
