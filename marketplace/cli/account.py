"""`marketplace login`, `logout`, `whoami` and `profile`: whose commands these are, and where."""

from __future__ import annotations

import sys
from typing import Any

import click

from marketplace.cli import output, profiles
from marketplace.cli.connection import connected, over_api, says_json, sentences
from marketplace.cli.profiles import DEFAULT, DEFAULT_URL, Profile
from marketplace.client import Client


@click.command()
@click.option("--url", help="Where the marketplace answers; asked for when left out.")
@click.option("--profile", "name", default=DEFAULT, show_default=True, help="What to call it.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@says_json
def login(*, url: str | None, name: str, token_stdin: bool) -> None:
    """Keep an address and a token, so that later commands need neither.

    Make the token on the pages, under Account, API tokens. It is kept in a file that you alone may
    read, and never shown. A profile of the same name is replaced; the newest one is used from now
    on, until `profile use` names another.
    """
    kept = profiles.read()
    known = kept.by_name.get(name)
    if url is None:
        at_hand = known.url if known else DEFAULT_URL
        url = at_hand if token_stdin else click.prompt("Address", default=at_hand, err=True)
    token = _token(token_stdin)
    me = _who(url, token)
    kept.by_name[name] = Profile(url.rstrip("/"), token)
    kept.current = name
    path = profiles.write(kept)
    shown = _shown(me, url, f"profile {name}")
    output.tell(shown, output.as_json(), _words(shown))
    output.note(f"Kept in {path}.")


def _token(from_input: bool) -> str:
    if from_input:
        token = sys.stdin.readline().strip()
    else:
        token = click.prompt("Token", hide_input=True, err=True).strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise click.UsageError("This is no token: they begin with mkt_ and have no spaces.")
    return str(token)


def _who(url: str, token: str) -> dict[str, Any]:
    with sentences(url, "this profile"), Client(url, token) as client:
        found: dict[str, Any] = client.me().raw
        return found


@click.command()
@click.option("--profile", "name", help="Which; the one in use when left out.")
def logout(name: str | None) -> None:
    """Forget a profile's token here. On the pages it can be revoked as well."""
    kept = profiles.read()
    gone = name or kept.current
    if not gone:
        raise click.ClickException("Nobody is signed in here.")
    kept.named(gone)
    del kept.by_name[gone]
    kept.current = "" if kept.current == gone else kept.current
    profiles.write(kept)
    output.note(f"The profile {gone!r} is forgotten. Its token works until it ends or is revoked.")


@click.command()
@over_api
def whoami() -> None:
    """Who the token is, for which organisation, and what it may do."""
    access = profiles.access_for(output.wishes())
    with connected() as client:
        shown = _shown(client.me().raw, access.url, access.told_by)
    output.tell(shown, output.as_json(), _words(shown))


def _shown(me: dict[str, Any], url: str, told_by: str) -> dict[str, Any]:
    return me | {"url": url, "token_from": told_by}


def _words(me: dict[str, Any]) -> str:
    acted_for = me["organisation"]
    lines = [
        f"{me['name']} <{me['email']}>" + (f", for {acted_for['name']}" if acted_for else ""),
        f"at {me['url']} (token from {me['token_from']})",
        f"may: {', '.join(me['scopes']) or 'nothing'}",
    ]
    return "\n".join(lines)


@click.group()
def profile() -> None:
    """The addresses and tokens that `login` kept."""


@profile.command("list")
@says_json
def list_() -> None:
    """All profiles; the one in use is marked."""
    found = profiles.shown(profiles.read())
    cells = [["*" if each["current"] else "", each["name"], each["url"]] for each in found]
    empty = "No profile is kept. `marketplace login` makes the first."
    output.rows(found, ("", "name", "url"), cells, empty=empty)


@profile.command()
@click.argument("name")
def use(name: str) -> None:
    """Use the profile NAME from now on."""
    kept = profiles.read()
    kept.named(name)
    kept.current = name
    profiles.write(kept)
    output.note(f"Commands go to {kept.by_name[name].url} from now on.")
