"""The frame of the command line: a table of commands, imported one at a time."""

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click

DEFAULT_DATA_DIR = ".data"
# Each request and each background function has its own thread or process; linear algebra that takes
# all cores for itself makes them wait for each other. Read once, when NumPy is first imported.
for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")


@dataclass(frozen=True)
class Lazy:
    """A command: where it is, its line in the help, and the extra whose packages it needs."""

    target: str
    summary: str
    extra: str = "server"


COMMANDS = {
    "up": Lazy("marketplace.cli.up:up", "Run the whole stack, databases included.", "embedded"),
    "web": Lazy("marketplace.cli.web:web", "Serve the pages and the API."),
    "worker": Lazy("marketplace.cli.worker:worker", "Carry out background work."),
    "relay": Lazy("marketplace.cli.relay:relay", "Hand out background work; keep the schedule."),
    "sandbox": Lazy("marketplace.cli.sandbox:sandbox", "Emulate the outside world."),
    "migrate": Lazy("marketplace.cli.migrate:migrate", "Bring the database to the newest form."),
    "token": Lazy("marketplace.cli.token:token", "Make API tokens."),
    "person": Lazy("marketplace.cli.person:person", "Make the first people."),
    "job": Lazy("marketplace.cli.job:job", "Post jobs over the API, and look at them."),
    "export": Lazy("marketplace.cli.job:export", "Export a job's accepted judgements."),
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
            params=[
                click.Option(
                    ["--data-dir"],
                    envvar="DATA_DIR",
                    default=DEFAULT_DATA_DIR,
                    show_default=True,
                    type=click.Path(file_okay=False, path_type=Path),
                    help="Where the embedded stack keeps everything.",
                )
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
                f" pip install 'marketplace[{_extras(lazy.extra)}]'"
            ) from fault
        assert isinstance(command, click.Command)  # noqa: S101  The table is ours.
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their summaries, importing none."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self.table.items()])


def _extras(extra: str) -> str:
    return "server,embedded" if extra == "embedded" else extra


@click.pass_context
def _remember(ctx: click.Context, data_dir: Path) -> None:
    ctx.obj = Workspace(data_dir=Path(os.path.abspath(data_dir)))


main = LazyGroup(COMMANDS)
