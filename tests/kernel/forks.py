"""A process with lines for lone statements that forks: who has which connection afterwards.

Run as a program, since a process of many threads must not be forked; the URL of the database is
its argument. It prints the server's processes: the parent's, the child's, the parent's again.
"""

from __future__ import annotations

import gc
import os
import sys
import threading

from marketplace import db
from marketplace.statements import plain_sql


def asked() -> int:
    """The process of the server that answers this thread."""
    with db.lookup() as session:
        return int(plain_sql(session, "SELECT pg_backend_pid() AS pid")[0].pid)


def main() -> None:
    """Let this thread and another have a line, fork, and ask on both sides."""
    db.connect(sys.argv[1])
    others: list[int] = []
    forked, opened = threading.Event(), threading.Event()

    def elsewhere() -> None:
        others.append(asked())
        opened.set()
        forked.wait()
        others.append(asked())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    opened.wait()
    before = asked()
    child = os.fork()
    if child == 0:
        gc.collect()
        sys.stdout.write(f"{asked()}\n")
        return
    os.waitpid(child, 0)
    forked.set()
    thread.join()
    sys.stdout.write(f"{before}\n{asked()}\n{others[0]}\n{others[1]}\n")


if __name__ == "__main__":
    main()
