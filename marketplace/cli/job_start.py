"""Files to start a job from, without a server: ready jobs, Label Studio configurations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click
import yaml

from marketplace.errors import Missing
from marketplace.jobs.rules.gallery import ready_job, ready_jobs
from marketplace.tasktypes.label_studio.config import NotAConfiguration, carried


def listed() -> None:
    """Print the key, the type, the expected time and the title of every ready job."""
    for each in ready_jobs():
        minutes = each.expected_seconds // 60
        told = f"{each.key:26}{each.profession:10}{each.task_type:19}{minutes:3} min  {each.title}"
        click.echo(told)


def begun(key: str, items: Path | None) -> None:
    """Print the file of a ready job, and write its example items beside it."""
    try:
        ready = ready_job(key)
    except Missing as missing:
        raise click.ClickException(missing.message) from None
    if items is not None:
        lines = [json.dumps(each, ensure_ascii=False) for each in ready.items]
        items.write_text("\n".join(lines) + "\n", encoding="utf-8")
    click.echo(_file(ready.document), nl=False)


def brought(config: Path) -> None:
    """Print the file of the job that a Label Studio configuration comes to, and tell the rest."""
    try:
        found = carried(config.read_text(encoding="utf-8"))
    except (NotAConfiguration, UnicodeDecodeError) as wrong:
        raise click.ClickException(f"{config} cannot be read: {wrong}") from None
    for left in found.left:
        click.echo(f"not carried over: {left.tag}: {left.why}", err=True)
    if not found.task_type:
        raise click.ClickException("No task type fits this configuration.")
    for ours, theirs in found.fields.items():
        click.echo(f"data field {theirs} becomes {ours}", err=True)
    document = {"title": config.stem, "task_type": found.task_type, "template": found.template}
    click.echo(_file(document), nl=False)


def _file(document: Mapping[str, object]) -> str:
    return str(yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100))
