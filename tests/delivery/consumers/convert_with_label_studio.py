"""Turn a Label Studio file into other formats with Label Studio's own converter, for a program of
its own: `python convert_with_label_studio.py CONFIG.xml TASKS.json OUT FORMAT…`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

# By name, since it is an extra that few installations have.
converter = import_module("label_studio_sdk.converter")


def main(config: Path, tasks: Path, out: Path, forms: list[str]) -> None:
    """Write one folder for each format."""
    for form in forms:
        own = converter.Converter(
            config=config.read_text(), project_dir=str(out), download_resources=False
        )
        folder = out / form
        folder.mkdir(parents=True)
        write = getattr(own, f"convert_to_{form}")
        write(str(tasks), str(folder), is_dir=False)


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:4]]
    main(given[0], given[1], given[2], sys.argv[4:])
