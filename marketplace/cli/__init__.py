"""The command line: every command of the product, each imported only when it runs.

Owns the `marketplace` command, the supervisor behind `marketplace up`, and how a command finds
its settings (`environment`). It promises one clear sentence for every fault a person can mend,
and that the client's commands run where only the base dependencies are installed. It never holds
domain rules: a command opens a transaction, calls one verb and prints.
"""

from marketplace.cli.frame import main as main
