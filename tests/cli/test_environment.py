"""Commands find their settings: in the environment, on a running stack, or by starting one."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import psycopg
import pytest

from marketplace import embedded
from marketplace.cli import environment
from tests.embedded.places import forget_place, plain


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder, in an environment that names no database."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    forget_place(folder)


def test_what_is_written_is_read_again_whatever_it_holds(data_dir: Path) -> None:
    settings = {"PLAIN": "x", "EMPTY": "", "ODD": "a 'b' \"c\" $d \\e = f;#"}

    environment.write(data_dir, settings)

    assert settings == environment.read(data_dir)
    assert stat.S_IMODE((data_dir / environment.FILE).stat().st_mode) == 0o600


def test_a_database_of_the_environment_wins(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/x")

    with environment.found(data_dir) as settings:
        assert settings["DATABASE_URL"] == "postgresql://elsewhere/x"


def test_a_running_stack_is_used_as_it_is(data_dir: Path) -> None:
    environment.write(data_dir, {"DATABASE_URL": "postgresql://running/x"})

    with embedded.Lock(data_dir), environment.found(data_dir) as settings:
        assert settings["DATABASE_URL"] == "postgresql://running/x"


def test_a_resting_stack_is_started_for_the_command(data_dir: Path) -> None:
    environment.write(data_dir, {"STRIPE_API_BASE": "http://127.0.0.1:9"})

    with environment.found(data_dir) as settings:
        assert not embedded.Lock.is_free(data_dir)
        with psycopg.connect(plain(settings["DATABASE_URL"])) as app:
            row = app.execute("SELECT current_user").fetchone()

    assert ("app",) == row
    assert settings["STRIPE_API_BASE"] == "http://127.0.0.1:9"
    assert embedded.Lock.is_free(data_dir)


def test_nowhere_to_look_is_one_sentence(data_dir: Path) -> None:
    assert "DATABASE_URL" not in os.environ

    with (
        pytest.raises(click.ClickException, match=r"start one with `marketplace up`"),
        environment.found(data_dir),
    ):
        pass
