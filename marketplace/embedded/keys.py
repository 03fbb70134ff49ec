"""Keys and passwords made once for each data folder, one file each, readable by its owner only."""

import base64
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from marketplace.embedded.faults import CannotStart

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def _fernet_key() -> str:
    """32 random bytes: what Fernet takes, and the seed of an Ed25519 key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _plain_token() -> str:
    return secrets.token_hex(24)


def _readable_password() -> str:
    """Sixteen letters and digits in fours, none of which looks like another: 78 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


# The settings that an embedded stack makes for itself, and how.
SETTINGS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": _fernet_key,
    "PSEUDONYM_KEY": lambda: secrets.token_urlsafe(32),
    "SIGNING_KEYS": _fernet_key,
    "STRIPE_SECRET_KEY": lambda: f"sk_test_{_plain_token()}",
    "STRIPE_WEBHOOK_SECRET": lambda: f"whsec_{_plain_token()}",
    "DEMO_PASSWORD": _readable_password,
}


class Keys:
    """The folder of keys. Reading a key that does not exist yet makes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as fault:
            raise CannotStart(
                f"The folder {folder} cannot be written: {fault.strerror}."
            ) from fault

    def setting(self, name: str) -> str:
        """A setting such as `SECRET_KEY`, stable for the life of the data folder."""
        return self._read_or_make(name, SETTINGS[name])

    def settings(self) -> dict[str, str]:
        """Every generated setting by its name."""
        return {name: self.setting(name) for name in SETTINGS}

    def password(self, role: str) -> str:
        """The password of a server's role, in characters that need no quoting anywhere."""
        return self._read_or_make(f"{role}.password", _plain_token)

    def instance(self) -> str:
        """Which life of this data folder it is; a folder made anew gets another."""
        return self._read_or_make("instance", lambda: secrets.token_hex(8))

    def _read_or_make(self, name: str, make: Callable[[], str]) -> str:
        path = self.folder / name
        try:
            return self._read(path) if path.exists() else self._make(path, make())
        except OSError as fault:
            raise CannotStart(
                f"The key {path} cannot be read or made: {fault.strerror}."
            ) from fault

    def _read(self, path: Path) -> str:
        if path.stat().st_mode & 0o077:
            path.chmod(PRIVATE_FILE)
        value = path.read_text(encoding="utf-8").strip()
        if not value:
            raise CannotStart(f"The key {path} is empty: restore it, or remove the data folder.")
        return value

    def _make(self, path: Path, value: str) -> str:
        """Write beside and link, so that no reader sees half a key and nobody replaces one."""
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(f"{value}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # Another start made it first; its value is the key.
            os.link(draft, path)
        draft.unlink()
        return self._read(path)
