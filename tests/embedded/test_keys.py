"""Keys are made once, stay, and are readable by their owner only."""

import base64
import stat
from pathlib import Path

import pytest

from marketplace.embedded import CannotStart, Keys
from marketplace.settings import Settings


def test_keys_are_private_files_in_a_private_folder(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")

    keys.settings()
    keys.password("app")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in keys.folder.iterdir()}
    assert {0o600} == modes
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700


def test_the_second_start_finds_the_keys_of_the_first(tmp_path: Path) -> None:
    first = Keys(tmp_path).settings()

    assert first == Keys(tmp_path).settings()


def test_each_data_folder_has_keys_of_its_own(tmp_path: Path) -> None:
    here, there = Keys(tmp_path / "a").settings(), Keys(tmp_path / "b").settings()

    assert set() == set(here.values()) & set(there.values())


def test_generated_keys_satisfy_the_settings(tmp_path: Path) -> None:
    keys = Keys(tmp_path).settings()

    read = Settings.from_environ(
        keys | {"DATABASE_URL": "postgresql://app@/x", "REDIS_URL": "redis://localhost"}
    )

    assert [32] == [len(base64.urlsafe_b64decode(key)) for key in read.encryption_keys]
    assert read.stripe_secret_key.startswith("sk_test_")


def test_a_key_that_others_can_read_is_closed_again(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.setting("SECRET_KEY")
    (tmp_path / "SECRET_KEY").chmod(0o644)

    keys.setting("SECRET_KEY")

    assert stat.S_IMODE((tmp_path / "SECRET_KEY").stat().st_mode) == 0o600


def test_an_empty_key_is_refused_instead_of_replaced(tmp_path: Path) -> None:
    (tmp_path / "SECRET_KEY").touch(mode=0o600)

    with pytest.raises(CannotStart, match="is empty"):
        Keys(tmp_path).setting("SECRET_KEY")
