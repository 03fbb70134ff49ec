"""How a command ends: the exit codes that scripts rely on, each a kind of fault."""

from __future__ import annotations

import click

DONE = 0
REFUSED = 1
USAGE = 2
TIMED_OUT = 3
NO_ANSWER = 4
STOPPED = 130

MEANINGS = (
    (DONE, "done"),
    (REFUSED, "refused, or it failed: the sentence on standard error says why"),
    (USAGE, "wrong usage, or settings that cannot be used"),
    (TIMED_OUT, "the time of --timeout ran out; what was begun goes on"),
    (NO_ANSWER, "the marketplace does not answer at this address"),
    (STOPPED, "stopped with Ctrl-C"),
)


class TimedOut(click.ClickException):
    """What was waited for has not happened yet."""

    exit_code = TIMED_OUT


class NoAnswer(click.ClickException):
    """Nobody who speaks our API answers at the address."""

    exit_code = NO_ANSWER
