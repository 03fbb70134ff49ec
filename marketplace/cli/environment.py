"""Where a command's settings come from: the environment, a running stack, or one started for it."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from marketplace import embedded
from marketplace.settings import Settings, SettingsFaulty

FILE = "environment"
EXIT_FAULTY = 2


class Faulty(click.ClickException):
    """Settings that cannot be used; every fault on a line of its own."""

    exit_code = EXIT_FAULTY

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))

    def show(self, file: object = None) -> None:
        """Print the faults to standard error."""
        del file
        click.echo(self.message, err=True)


def need(environ: Mapping[str, str], *names: str) -> None:
    """Raise Faulty with a sentence for each name that is not set."""
    missing = [f"{name} is not set." for name in names if not environ.get(name)]
    if missing:
        raise Faulty(missing)


def settings_from(environ: Mapping[str, str]) -> Settings:
    """The settings of the product; raises Faulty with every fault of the environment."""
    try:
        return Settings.from_environ(environ)
    except SettingsFaulty as faulty:
        raise Faulty(faulty.faults) from faulty


def write(data_dir: Path, settings: Mapping[str, str]) -> None:
    """Keep the settings of a running stack where its owner's other commands find them."""
    draft = data_dir / f".{FILE}"
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        for name, value in sorted(settings.items()):
            file.write(f"{name}={shlex.quote(value)}\n")
    draft.rename(data_dir / FILE)


def read(data_dir: Path) -> dict[str, str]:
    """The settings of the stack that ran last on `data_dir`; empty when none ever did."""
    try:
        text = (data_dir / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise click.ClickException(
            f"{data_dir / FILE} cannot be read: {fault.strerror}."
        ) from fault
    pairs = (line.partition("=") for line in text.splitlines() if line)
    return {name: shlex.split(value)[0] if value else "" for name, _, value in pairs}


@contextmanager
def found(data_dir: Path) -> Iterator[dict[str, str]]:
    """The settings that a command works with, and servers that answer while it does.

    The environment when it names a database; else the stack on `data_dir`, started for the
    duration when it does not run. Raises ClickException when there is neither.
    """
    if os.environ.get("DATABASE_URL"):
        yield dict(os.environ)
        return
    last = read(data_dir)
    if not last:
        raise click.ClickException(
            f"DATABASE_URL is not set and no stack was ever started on {data_dir}:"
            " start one with `marketplace up`."
        )
    try:
        with embedded.Lock(data_dir), embedded.Stack.start(data_dir) as stack:
            yield last | dict(os.environ) | stack.environment
    except embedded.AlreadyRuns:
        yield last | dict(os.environ)
    except embedded.CannotStart as fault:
        raise click.ClickException(str(fault)) from fault
