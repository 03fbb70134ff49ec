"""Addresses and tokens: what is stronger, where a token may go, and who may read the file."""

from __future__ import annotations

import stat
from pathlib import Path

import click
import pytest

from marketplace.cli import profiles
from marketplace.cli.output import Wishes
from marketplace.cli.profiles import Access, Profile, Profiles, access_for

HERE, THERE = "https://here.test", "https://there.test"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder for configuration, and an environment that names nothing."""
    for name in (profiles.URL, profiles.TOKEN, profiles.PROFILE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(profiles.CONFIG, str(tmp_path / "config"))
    return tmp_path / "config"


def keep(**more: Profile) -> None:
    profiles.write(Profiles("here", {"here": Profile(HERE, "mkt_here"), **more}))


def test_the_file_is_its_owners_alone_and_comes_back_whole(folder: Path) -> None:
    keep(there=Profile(THERE, "mkt_there"))

    found = profiles.read()

    assert ("here", {"here", "there"}) == (found.current, set(found.by_name))
    assert 0o600 == stat.S_IMODE(profiles.place().stat().st_mode)
    assert ["profiles.json"] == [each.name for each in folder.iterdir()]
    assert "mkt_" not in repr(found) + str(profiles.shown(found))
    assert not profiles.is_open_to_others()
    profiles.place().chmod(0o644)
    assert profiles.is_open_to_others()


def test_options_go_before_the_environment_and_that_before_a_profile() -> None:
    keep()
    environ = {profiles.URL: THERE, profiles.TOKEN: "mkt_env"}

    assert Access(HERE, "mkt_here", "profile here") == access_for(Wishes(), {})
    assert Access(THERE, "mkt_env", "environment") == access_for(Wishes(), environ)
    assert Access(THERE, "mkt_said", "options") == access_for(Wishes(token="mkt_said"), environ)
    assert Access(HERE, "mkt_here", "profile here") == access_for(Wishes(profile="here"), environ)
    assert Access(HERE, "mkt_env", "environment") == access_for(Wishes(url=HERE), environ)


def test_a_kept_token_goes_nowhere_but_where_it_was_kept_for() -> None:
    keep()

    assert "mkt_here" == access_for(Wishes(url=HERE + "/"), {}).token
    for wishes, environ in (
        (Wishes(url=THERE), {}),
        (Wishes(), {profiles.URL: THERE}),
        (Wishes(url=THERE, profile="here"), {}),
    ):
        with pytest.raises(click.UsageError, match=r"'here' is for https://here.test"):
            access_for(wishes, environ)


def test_a_machine_without_a_token_is_told_how_to_get_one() -> None:
    with pytest.raises(click.UsageError, match=r"marketplace login"):
        access_for(Wishes(), {})


def test_a_broken_file_is_one_sentence() -> None:
    profiles.place().parent.mkdir()
    for text in ("{", "[]", '{"profiles": {"x": {"url": 1}}}'):
        profiles.place().write_text(text, encoding="utf-8")
        with pytest.raises(click.ClickException, match=r"is no file of profiles"):
            profiles.read()


def test_an_unknown_profile_names_those_that_are_known() -> None:
    keep()

    with pytest.raises(click.ClickException, match=r"known: here"):
        access_for(Wishes(profile="nowhere"), {})
