"""Where a command's address and token come from: options, the environment, or a file of profiles.

The file is `profiles.json` in the folder of `MARKETPLACE_CONFIG`, else in `marketplace` under the
folder for configuration (`XDG_CONFIG_HOME`, `~/.config`). Its owner alone may read it. A token of
the file is only ever sent to the address that it was kept with: whoever names another address names
a token as well.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from marketplace.cli.output import Wishes

FILE = "profiles.json"
DEFAULT = "default"
DEFAULT_URL = "http://localhost:8000"
URL, TOKEN, PROFILE, CONFIG = (
    "MARKETPLACE_URL",
    "MARKETPLACE_TOKEN",
    "MARKETPLACE_PROFILE",
    "MARKETPLACE_CONFIG",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """An address and the token for it."""

    url: str
    token: str = field(repr=False)


@dataclass(slots=True)
class Profiles:
    """What the file holds: profiles by name, and which one is used when none is named."""

    current: str = ""
    by_name: dict[str, Profile] = field(default_factory=dict)

    def named(self, name: str) -> Profile:
        """The profile of this name; ClickException when there is none."""
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise click.ClickException(
                f"There is no profile {name!r} (known: {known}). Make it with"
                f" `marketplace login --profile {name}`."
            )
        return self.by_name[name]


@dataclass(frozen=True, slots=True)
class Access:
    """Where a command goes, with which token, and what told it so (`profile x`, `environment`)."""

    url: str
    token: str = field(repr=False)
    told_by: str


def place(environ: Mapping[str, str] | None = None) -> Path:
    """Where the file is, which need not exist."""
    environ = os.environ if environ is None else environ
    if environ.get(CONFIG):
        return Path(environ[CONFIG]) / FILE
    above = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(above) / "marketplace" / FILE


def read() -> Profiles:
    """The profiles of the file; none where there is no file. ClickException when it is broken."""
    path = place()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        by_name = {name: Profile(**each) for name, each in found["profiles"].items()}
        current = str(found.get("current", ""))
    except FileNotFoundError:
        return Profiles()
    except OSError as fault:
        raise click.ClickException(f"{path} cannot be read: {fault.strerror}.") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        words = f"{path} is no file of profiles. Delete it, and sign in with `marketplace login`."
        raise click.ClickException(words) from None
    return Profiles(current, by_name)


def write(profiles: Profiles) -> Path:
    """Keep the profiles where their owner alone may read them, whole or not at all."""
    path = place()
    document = {
        "current": profiles.current,
        "profiles": {name: asdict(each) for name, each in sorted(profiles.by_name.items())},
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
        draft.replace(path)
    except OSError as fault:
        draft.unlink(missing_ok=True)
        raise click.ClickException(f"{path} cannot be written: {fault.strerror}.") from None
    return path


def is_open_to_others() -> bool:
    """Whether people other than its owner may read the file."""
    try:
        mode = place().stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and bool(stat.S_IMODE(mode) & 0o077)


def access_for(wishes: Wishes, environ: Mapping[str, str] | None = None) -> Access:
    """Where to go and with which token: options first, then the environment, then a profile.

    A profile that an option names goes before the environment. UsageError when no token is known
    for the address.
    """
    environ = os.environ if environ is None else environ
    if wishes.profile and not wishes.token:
        return _of_profile(wishes.profile, wishes.url)
    url = wishes.url or environ.get(URL, "")
    token = wishes.token or environ.get(TOKEN, "")
    profiles = read()
    kept = environ.get(PROFILE) or profiles.current
    if token:
        known = profiles.by_name.get(kept)
        told_by = "options" if wishes.token else "environment"
        return Access(url or (known.url if known else DEFAULT_URL), token, told_by)
    if kept:
        return _of_profile(kept, url)
    raise click.UsageError(
        f"No token is known. Sign in with `marketplace login`, or set {TOKEN}"
        " (pages: Account, API tokens)."
    )


def _of_profile(name: str, url: str) -> Access:
    """A profile's address and token; UsageError when another address is asked for."""
    found = read().named(name)
    if url and not same(url, found.url):
        raise click.UsageError(
            f"The profile {name!r} is for {found.url}; for {url} give --token, or sign in with"
            f" `marketplace login --url {url} --profile …`."
        )
    return Access(found.url, found.token, f"profile {name}")


def same(one: str, other: str) -> bool:
    """Whether two addresses are one."""
    return one.rstrip("/").casefold() == other.rstrip("/").casefold()


def shown(profiles: Profiles) -> list[dict[str, Any]]:
    """The profiles for a list, without their tokens."""
    return [
        {"name": name, "url": each.url, "current": name == profiles.current}
        for name, each in sorted(profiles.by_name.items())
    ]
