"""The command line: every command of the product, each imported only when it runs.

Owns the `marketplace` command, the supervisor behind `marketplace up`, and how a command finds
its settings (`environment`). It promises one clear sentence for every fault a person can mend,
and that the client's commands run where only the base dependencies are installed. It never holds
domain rules: a command opens a transaction, calls one verb and prints.

The commands over the API stand on `marketplace.client` alone. `connection` gives them their
options (`over_api`) and a client whose faults become a sentence and an exit code (`exits`);
`profiles` keeps addresses and tokens in a file for their owner; `output` and `progress` are all
that is ever printed.

Decisions
- 2026-11: with `--json` standard output holds JSON alone, one document or one line a row; words go
  to standard error. Without it people get words and tables, which no program should read.
- 2026-11: a token that `login` kept goes to the address that it was kept with and nowhere else; no
  command prints a token but the one that makes it.
- 2026-11: the exit code tells refused (1), misused (2), too late (3) and no answer (4) apart.
- 2026-11: files come down beside their place and move there whole; what Ctrl-C leaves is named
  `….part`, and the same command goes on from it.
"""

from marketplace.cli.frame import main as main
