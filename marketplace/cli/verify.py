"""`marketplace verify`: whether an export is what was written, offline and without an account."""

from __future__ import annotations

from pathlib import Path

import click

from marketplace.cli import output, progress
from marketplace.cli.exits import REFUSED, USAGE
from marketplace.cli.output import says_json
from marketplace.verify import CannotCheck, Finding, Kind, Report
from marketplace.verify import verify as check
from marketplace.verify.keys import UnreadableKey, keys_of
from marketplace.verify.report import HARMLESS

SHOWN_MAX = 50
FILE = click.Path(path_type=Path)


@click.command()
@click.argument("export", type=FILE)
@click.option("--proof", type=FILE, help="The proof, where it does not lie beside or inside.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    help="The platform's public key: a file (JWK set or PEM), or the key itself. Several may be.",
)
@says_json
@click.pass_context
def verify(
    context: click.Context, *, export: Path, proof: Path | None, keys: tuple[str, ...]
) -> None:
    """Check an EXPORT against its proof: a file, a bundle's ZIP, or its unpacked folder.

    The proof lies beside the file as EXPORT.proof.jsonl.gz, or inside a bundle. Save the platform's
    keys once from its /.well-known/marketplace-keys.json: without --key the signature shows only
    that file and proof belong together.

    VALID means that all is as the owner of the key signed it; CONSISTENT, without a key, that
    nothing contradicts the proof. Ends with 0 for both, 1 when something does, 2 when it cannot be
    checked.
    """
    try:
        trusted = _keys(keys) if keys else None
        with progress.bar(_size(export), "Checking", unit="bytes") as shown:
            report = check(export, proof=proof, keys=trusted, progress=shown.add)
    except (CannotCheck, UnreadableKey) as fault:
        output.tell({"ok": None, "says": str(fault)}, output.as_json())
        click.echo(f"Error: {fault}", err=True)
        context.exit(USAGE)
    output.tell(report.as_json(), output.as_json(), "\n".join(_words(report)))
    context.exit(0 if report.ok else REFUSED)


def _keys(given: tuple[str, ...]) -> dict[str, bytes]:
    """All keys that were given, as files or as texts."""
    found: dict[str, bytes] = {}
    for each in given:
        found |= keys_of(_text_of(each))
    return found


def _text_of(given: str) -> str:
    """What a file says, or else the text that was given; UnreadableKey for a file of no text."""
    try:
        path = Path(given)
        return path.read_text(encoding="utf-8") if path.is_file() else given
    except OSError:  # A text may be too long for the name of a file.
        return given
    except ValueError as wrong:
        raise UnreadableKey("This is no Ed25519 public key.") from wrong


def _size(path: Path) -> int | None:
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size if path.exists() else None


def _words(report: Report) -> list[str]:
    faults = [each for each in report.findings if each.kind not in HARMLESS]
    harmless = [each for each in report.findings if each.kind in HARMLESS]
    total = sum(count for kind, count in report.counts.items() if kind not in HARMLESS)
    lines = sum(each.get("lines", 0) for each in report.statement.get("files", ()))
    files = len(report.statement.get("files", ()))
    what = f"{lines:,} lines in {files:,} {'file' if files == 1 else 'files'}"
    # Anybody can make a file and a proof that fit: only a key from elsewhere says whose they are.
    said = [f"VALID  {what}." if report.trusted else f"CONSISTENT  {what} fit the proof they have."]
    if not report.ok:
        said = [
            f"NOT VALID  {total:,} {'thing is' if total == 1 else 'things are'} not as written."
        ]
    said += _what_it_is(report)
    said += [_line(each) for each in faults[:SHOWN_MAX]]
    if total > SHOWN_MAX:
        said.append(f"  … and {total - SHOWN_MAX:,} more; --json lists a thousand.")
    said += _what_holds(report)
    said += [_line(each) for each in harmless[:3]]
    for kind in (Kind.ERASED, Kind.UNPROVEN):
        if report.counts[kind] > 3:
            said.append(f"  {report.counts[kind]:,} lines in all are {kind.value}.")
    return [*said, *report.notes]


def _line(finding: Finding) -> str:
    return f"  {finding.kind.value:<9}  {finding.file}: {finding.says}"


def _what_it_is(report: Report) -> list[str]:
    """Which export it is: a true one may have been put in another's place."""
    told = report.statement
    if "export_id" not in told:
        return []
    return [
        f"Export {told['export_id']} of job {told.get('job_id')}: {told.get('format')}, policy "
        f"{told.get('policy')}, up to event {told['as_of_event']:,}."
    ]


def _what_holds(report: Report) -> list[str]:
    """What was looked at, in words that claim no more than was shown."""
    heads = f"{report.heads:,} heads of days"
    if report.heads:
        heads += f", {report.heads_signed:,} of them signed with keys that you gave"
    found = [f"Chain: {report.events:,} events, {heads}."]
    if report.opened:
        words = f"{report.opened:,} judgements are what their authors handed in"
        reviews = f", {report.verdicts:,} verdicts what was said" if report.verdicts else ""
        found.append(f"Commitments: {words}{reviews}.")
    if report.signed_by and not report.counts[Kind.UNSIGNED]:
        whose = "which you gave" if report.trusted else "which came with the proof"
        found.append(f"Signature: of the key {report.signed_by}, {whose}.")
    return found
