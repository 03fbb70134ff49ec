"""`marketplace completion SHELL`: the script by which a shell completes our commands."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}
PROGRAM = "marketplace"
VARIABLE = "_MARKETPLACE_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands, options and ids of jobs in SHELL.

    \b
    bash  marketplace completion bash > ~/.local/share/bash-completion/completions/marketplace
    zsh   marketplace completion zsh > "${fpath[1]}/_marketplace"
    fish  marketplace completion fish > ~/.config/fish/completions/marketplace.fish
    """
    click.echo(SHELLS[shell](context.find_root().command, {}, PROGRAM, VARIABLE).source())
