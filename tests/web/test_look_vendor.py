"""What set-up fetches: the manifest, the sprite and the lock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marketplace.web import vendor


def modules_with_every_file(folder: Path) -> Path:
    modules = folder / "node_modules"
    for source in vendor.FILES.values():
        (modules / source).parent.mkdir(parents=True, exist_ok=True)
        (modules / source).write_text(source)
    icons = modules / "lucide-static" / "icons"
    icons.mkdir(parents=True, exist_ok=True)
    for name in vendor.ICONS.read_text().split():
        (icons / f"{name}.svg").write_text(f'<svg class="x"><path d="{name}" /></svg>')
    return modules


def test_a_filled_folder_is_up_to_date_until_a_file_is_gone(tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    assert not vendor.up_to_date("stamp", target)
    vendor.fill(modules_with_every_file(tmp_path), target, "stamp")
    assert vendor.up_to_date("stamp", target)
    assert not vendor.up_to_date("another lock", target)
    (target / "htmx.min.js").unlink()
    assert not vendor.up_to_date("stamp", target)


def test_the_sprite_has_each_icon_under_its_name(tmp_path: Path) -> None:
    folder = modules_with_every_file(tmp_path) / "lucide-static" / "icons"
    drawn = vendor.sprite(folder, ["house", "x"])
    assert '<symbol id="house" viewBox="0 0 24 24"><path d="house" /></symbol>' in drawn
    assert 2 == drawn.count("<symbol")


def test_an_icon_that_is_no_drawing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.svg").write_text("nothing")
    with pytest.raises(vendor.VendorFailed, match="odd"):
        vendor.sprite(tmp_path, ["odd"])


def test_the_lock_names_no_registry_and_htmx_stays_at_two() -> None:
    lock = json.loads((vendor.ROOT / "package-lock.json").read_text())
    assert [] == [name for name, each in lock["packages"].items() if "resolved" in each]
    assert lock["packages"]["node_modules/htmx.org"]["version"].startswith("2.")


def test_every_licence_travels_with_its_files() -> None:
    assert 5 == len([name for name in vendor.FILES if name.endswith(".LICENSE")])
