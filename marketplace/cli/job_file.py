"""Files that hold the fields of a job, as YAML or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click


def document(file: str) -> dict[str, Any]:
    """The fields in a file, `-` for standard input; ClickException when it holds none."""
    import yaml  # noqa: PLC0415 - Most commands read no such file and need not wait for it.

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        found = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise click.ClickException(f"{file} is not YAML: {fault}") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{file} must hold the fields of a job.")
    return found
