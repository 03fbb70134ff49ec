"""Commands over the API: their options, and a client whose faults become exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import httpx
from click.shell_completion import CompletionItem

from marketplace.cli import exits, profiles
from marketplace.cli.output import META, Command, Wishes, option
from marketplace.cli.output import says_json as says_json
from marketplace.client import (
    Client,
    MarketplaceError,
    NotConfigured,
    Refusal,
    TimedOut,
    Unreachable,
)

COMPLETION_SECONDS = 2.0
COMPLETED_MAX = 50
UNAUTHORIZED = 401
# Somebody waits: less patience than a program has.
TRIES = 3
TIMEOUT_HELP = "Seconds to wait at most; exit code 3 when they ran out."


def over_api(command: Command) -> Command:
    """Give a command --url, --token, --profile, --json and --quiet; `connected` reads them."""
    options = (
        option("--profile", metavar="NAME", help="An address and token kept by `login`."),
        option("--token", help=f"An API token; better: `login`, or {profiles.TOKEN}."),
        option("--url", help=f"Where the marketplace answers ({profiles.URL})."),
    )
    command = says_json(command)
    for give in options:
        command = give(command)
    return command


@contextmanager
def connected(*, timeout_seconds: float = 60) -> Iterator[Client]:
    """A client for the running command; its refusals and lost connections become one sentence."""
    context = click.get_current_context()
    access = profiles.access_for(context.meta.setdefault(META, Wishes()))
    if access.told_by.startswith("profile") and profiles.is_open_to_others():
        click.echo(
            f"Others on this machine can read your tokens: chmod 600 {profiles.place()}", err=True
        )
    with (
        sentences(access.url, access.told_by),
        Client(access.url, access.token, timeout_seconds=timeout_seconds, tries=TRIES) as client,
    ):
        yield client


@contextmanager
def sentences(url: str, told_by: str) -> Iterator[None]:
    """Turn what the client raises into a command's end. told_by: where the token came from."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(_refused(refusal, url, told_by)) from None
    except TimedOut as late:
        raise exits.TimedOut(_late(late)) from None
    except (Unreachable, httpx.TransportError) as lost:
        raise exits.NoAnswer(_unreachable(url, lost)) from None
    except NotConfigured as fault:
        raise click.UsageError(str(fault)) from None
    except MarketplaceError as fault:
        raise click.ClickException(str(fault)) from None
    except (httpx.InvalidURL, UnicodeError):
        raise click.UsageError(f"{url!r} is no address, such as https://example.com.") from None


def _refused(refusal: Refusal, url: str, told_by: str) -> str:
    lines = [str(refusal)]
    if refusal.status == UNAUTHORIZED:
        lines = [
            f"{url} does not know the token of {told_by}: it may have ended or been revoked.",
            "Make another under Account, API tokens, and keep it with `marketplace login`.",
        ]
    lines += [f"  {pointer or '/'}: {message}" for pointer, message in refusal.faults]
    return "\n".join(lines)


def _late(late: TimedOut) -> str:
    """What has not come, and how it stands with it."""
    state = getattr(late.last, "raw", {}).get("state")
    words = str(late).rstrip(".")
    return f"{words}: it is {state}. It goes on by itself." if state else f"{words}."


def _unreachable(url: str, lost: Exception) -> str:
    cause: BaseException = lost.__cause__ or lost
    if "://" not in url:
        return f"{url} is no address; write it with http:// or https://."
    words = str(cause).strip() or type(cause).__name__
    return f"{url} does not answer ({words}). Is the address right, and does it run?"


def job_ids(
    context: click.Context, parameter: click.Parameter | None, incomplete: str
) -> list[CompletionItem]:
    """Ids of the newest jobs for the shell, with their titles; none where nobody answers soon."""
    del parameter
    try:
        access = profiles.access_for(_typed(context))
        found = _newest_jobs(access)
    except (click.ClickException, ImportError, LookupError, OSError, TypeError, ValueError):
        # A setting that cannot be used, or an answer of somebody else: nothing to complete with.
        return []
    return [
        CompletionItem(each["id"], help=f"{each['title']} ({each['state']})")
        for each in found
        if each["id"].startswith(incomplete)
    ]


def _typed(context: click.Context) -> Wishes:
    """The options that stand before what is being completed."""
    wishes: Wishes = context.meta.get(META) or Wishes()
    return wishes


def _newest_jobs(access: profiles.Access) -> list[dict[str, Any]]:
    try:
        answer = httpx.get(
            f"{access.url.rstrip('/')}/api/v1/jobs",
            params={"limit": COMPLETED_MAX},
            headers={"Authorization": f"Bearer {access.token}"},
            timeout=COMPLETION_SECONDS,
        )
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL):
        return []
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
