"""The frame of the command line: a table of commands, imported one at a time."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from marketplace.cli.exits import MEANINGS, STOPPED

DEFAULT_DATA_DIR = ".data"
# Each request and each background function has its own thread or process; linear algebra that takes
# all cores for itself makes them wait for each other. Read once, when NumPy is first imported.
for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")

# A full disk, a quota, a file system that only reads: told without a path where none is known.
FILE_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
EXIT_CODES = "Exit codes: " + "; ".join(f"{code} {words}" for code, words in MEANINGS) + "."


@dataclass(frozen=True)
class Lazy:
    """A command: where it is, its line in the help, and the extra whose packages it needs."""

    target: str
    summary: str
    extra: str = "server"


# What the base install brings: the API's client.
CLIENT = {
    "login": Lazy("marketplace.cli.account:login", "Keep an address and a token for later.", ""),
    "logout": Lazy("marketplace.cli.account:logout", "Forget a token.", ""),
    "whoami": Lazy("marketplace.cli.account:whoami", "Who the token is, and what it may do.", ""),
    "profile": Lazy("marketplace.cli.account:profile", "The addresses and tokens kept here.", ""),
    "job": Lazy("marketplace.cli.job:job", "Post jobs over the API, look at them, wait.", ""),
    "items": Lazy("marketplace.cli.items:items", "Send items to a job.", ""),
    "import": Lazy("marketplace.cli.imports:import_", "Read a file or a bucket into a job.", ""),
    "submissions": Lazy("marketplace.cli.labs:submissions", "What came back for a job.", ""),
    "export": Lazy("marketplace.cli.export:export", "Export a job's accepted judgements.", ""),
    "verify": Lazy("marketplace.cli.verify:verify", "Check an export, offline.", ""),
    "events": Lazy("marketplace.cli.events:events", "Follow what happens, in order.", ""),
    "webhooks": Lazy("marketplace.cli.webhooks:webhooks", "Have events sent to a server.", ""),
    "balance": Lazy("marketplace.cli.labs:balance", "What the organisation has.", ""),
    "completion": Lazy("marketplace.cli.completion:completion", "Complete words in a shell.", ""),
}
# What a marketplace is run with; `quality` needs its own extra alone.
SERVER = {
    "up": Lazy("marketplace.cli.up:up", "Run the whole stack, databases included.", "embedded"),
    "web": Lazy("marketplace.cli.web:web", "Serve the pages and the API."),
    "worker": Lazy("marketplace.cli.worker:worker", "Carry out background work."),
    "relay": Lazy("marketplace.cli.relay:relay", "Hand out background work; keep the schedule."),
    "sandbox": Lazy("marketplace.cli.sandbox:sandbox", "Emulate the outside world."),
    "migrate": Lazy("marketplace.cli.migrate:migrate", "Bring the database to the newest form."),
    "token": Lazy("marketplace.cli.token:token", "Make API tokens."),
    "person": Lazy("marketplace.cli.person:person", "Make the first people."),
    "quality": Lazy(
        "marketplace.cli.quality:quality", "What labels in a file are worth.", "quality"
    ),
    "secrets": Lazy("marketplace.cli.secrets:secrets", "Rotate the keys of encrypted columns."),
    "ledger": Lazy("marketplace.cli.ledger:ledger", "Export the book; the trial balance."),
    "reconcile": Lazy(
        "marketplace.cli.reconcile:reconcile", "Take statements; say what differs from the book."
    ),
    "lists": Lazy("marketplace.cli.lists:lists", "Load published lists of excluded people."),
    "demo-world": Lazy("marketplace.cli.demo:demo_world", "Make the demonstration world."),
    "demo": Lazy("marketplace.cli.demo:demo", "Try things: codes, real judgements replayed."),
    "self-check": Lazy("marketplace.cli.self_check:self_check", "Check all that must hold."),
}
COMMANDS = CLIENT | SERVER
SECTIONS = (
    ("Commands for labs, over the API", CLIENT),
    ("Commands to run a marketplace (pip install 'marketplace[server]')", SERVER),
)


@dataclass(frozen=True)
class Workspace:
    """What every command knows: the data folder, which need not exist."""

    data_dir: Path


class LazyGroup(click.Group):
    """Commands from a table; importing one imports no other."""

    def __init__(self, commands: dict[str, Lazy]) -> None:
        super().__init__(
            name="marketplace",
            help="The marketplace for expert judgement.",
            epilog=EXIT_CODES,
            params=[
                click.Option(
                    ["--data-dir"],
                    envvar="DATA_DIR",
                    default=DEFAULT_DATA_DIR,
                    show_default=True,
                    type=click.Path(file_okay=False, path_type=Path),
                    help="Where the embedded stack keeps everything.",
                ),
                click.Option(
                    ["--version"],
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=_tell_version,
                    help="Print the version and end.",
                ),
            ],
            callback=_remember,
        )
        self.table = commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table's order."""
        del ctx
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; say which extra to install when its packages are missing."""
        del ctx
        lazy = self.table.get(cmd_name)
        if lazy is None:
            return None
        module, _, name = lazy.target.partition(":")
        try:
            command = getattr(import_module(module), name)
        except ModuleNotFoundError as fault:
            if (fault.name or "").startswith("marketplace"):
                raise
            raise click.ClickException(
                f"`marketplace {cmd_name}` needs more packages ({fault.name} is missing):"
                f" pip install 'marketplace{_extras(lazy.extra)}'"
            ) from fault
        assert isinstance(command, click.Command)  # noqa: S101  The table is ours.
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what its files or the person at the keys stop ends in one sentence."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            ctx.exit(STOPPED)
        except BrokenPipeError:
            raise  # Whoever read has seen enough; click ends the command without a word.
        except OSError as fault:
            if fault.filename is None and fault.errno not in FILE_FAULTS:
                raise  # None of the faults that a person knows how to mend.
            name = f"{os.fsdecode(fault.filename)}: " if fault.filename else ""
            raise click.ClickException(f"{name}{fault.strerror}.") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their summaries, importing none."""
        del ctx
        for title, named in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, lazy.summary) for name, lazy in named.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that begin so, with their summaries, importing none."""
        found = [
            CompletionItem(name, help=lazy.summary)
            for name, lazy in self.table.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _extras(extra: str) -> str:
    wanted = "server,embedded" if extra == "embedded" else extra
    return f"[{wanted}]" if wanted else ""


def _tell_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    del option
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - It is slow, and seldom asked.

        click.echo(f"marketplace {version('marketplace')}")
        ctx.exit()


@click.pass_context
def _remember(ctx: click.Context, data_dir: Path) -> None:
    ctx.obj = Workspace(data_dir=Path(os.path.abspath(data_dir)))


main = LazyGroup(COMMANDS)
