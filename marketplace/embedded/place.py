"""Where the servers keep their data, and as whom they run."""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from marketplace.embedded.faults import CannotStart
from marketplace.embedded.keys import Keys
from marketplace.embedded.program import Account

SYSTEM_FOLDER = Path("/var/lib/marketplace")
ACCOUNT_NAMES = ("marketplace", "nobody")
# A path to a Unix socket has room for about a hundred characters on every system.
SOCKET_PATH_MAX = 90


@dataclass(frozen=True)
class Place:
    """`servers` holds the servers' own folders; `account` is None when we are not root."""

    servers: Path
    binaries: Path | None
    account: Account | None

    @property
    def sockets(self) -> Path | None:
        """The folder for PostgreSQL's Unix socket, or None where its path would be too long."""
        folder = self.servers / "sockets"
        return folder if len(str(folder)) <= SOCKET_PATH_MAX else None

    def folder(self, name: str) -> Path:
        """A private folder of the servers, made when it does not exist."""
        path = self.servers / name
        if not path.exists():
            path.mkdir(mode=0o700)
            self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Make `path` belong to the servers' account."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)


def place_for(data_dir: Path, keys: Keys, *, system_folder: Path = SYSTEM_FOLDER) -> Place:
    """The place that belongs to `data_dir`: inside it, or for root below `system_folder`.

    Raises CannotStart where a folder cannot be made or belongs to somebody else.
    """
    if os.geteuid() != 0:
        return Place(_private(data_dir / "servers"), None, None)
    account = _account()
    _own_system_folder(system_folder, account)
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    servers = system_folder / digest
    _set_aside_when_stale(servers, keys.instance())
    place = Place(_private(servers), system_folder, account)
    (servers / "instance").write_text(keys.instance(), encoding="utf-8")
    place.give(servers)
    return place


def temporary_place(folder: Path) -> Place:
    """A place in `folder`, which is already private to us or to the account."""
    if os.geteuid() != 0:
        return Place(folder, None, None)
    place = Place(folder, SYSTEM_FOLDER, _account())
    place.give(folder)
    return place


def temporary_parent() -> Path | None:
    """Where temporary stacks go: below the system folder for root, else wherever is usual."""
    if os.geteuid() != 0:
        return None
    _own_system_folder(SYSTEM_FOLDER, _account())
    return SYSTEM_FOLDER


def _private(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise CannotStart(f"The folder {folder} cannot be made: {fault.strerror}.") from fault
    return folder


def _own_system_folder(folder: Path, account: Account) -> None:
    """Make the system folder once; what exists keeps its mode and its owner."""
    if folder.exists():
        return
    try:
        folder.mkdir(mode=0o755)
        os.chown(folder, account.uid, account.gid)
    except OSError as fault:
        raise CannotStart(
            f"PostgreSQL does not run as root and {folder} cannot be made for it"
            f" ({fault.strerror}): run as another user."
        ) from fault


def _set_aside_when_stale(servers: Path, instance: str) -> None:
    """Keep the servers' data of a data folder that was removed since, once, under another name.

    The new data folder has new passwords, which the old databases would refuse.
    """
    known = servers / "instance"
    if not known.exists() or known.read_text(encoding="utf-8") == instance:
        return
    aside = servers.with_name(f"{servers.name}.removed")
    shutil.rmtree(aside, ignore_errors=True)
    servers.rename(aside)


def _account() -> Account:
    """The dedicated account, made when the system can; else `nobody`."""
    if not _exists(ACCOUNT_NAMES[0]) and (useradd := shutil.which("useradd", path=_ADMIN_PATH)):
        subprocess.run(  # noqa: S603  A fixed command with fixed arguments.
            [useradd, "--system", "--user-group", "--no-create-home", "--home-dir",
             str(SYSTEM_FOLDER), "--shell", "/usr/sbin/nologin", ACCOUNT_NAMES[0]],
            capture_output=True, check=False,
        )  # fmt: skip
    for name in ACCOUNT_NAMES:
        if _exists(name):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise CannotStart("PostgreSQL does not run as root and there is no other account: add a user.")


_ADMIN_PATH = os.pathsep.join([os.defpath, "/usr/sbin", "/sbin"])


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
