"""PostgreSQL and Redis without a system package, and the keys that a fresh stack needs.

Owns the servers' data folders, their passwords and every generated key below one data folder.
It promises that an acknowledged write survives a power cut (fsync is on, except in `temporary`),
that a second start finds the data of the first, that the mode of no folder outside its own ever
changes, and that the servers end with the process that started them. It never runs a server as
root, never listens anywhere but on the loopback address, and never touches a server which it did
not start itself.

Decisions
- 2026-07: the server binaries are started here, as children, and stopped by their process
  number; the wheels' own starters widen the modes of parent folders or leave servers behind.
- 2026-07: as root the servers live under `/var/lib/marketplace`, owned by an unprivileged
  account, because PostgreSQL refuses to run as root and a home folder is closed to others.
- 2026-07: databases and roles are made in single-user mode before the first start, so that a
  start cut short leaves either nothing or a whole cluster.
"""

from marketplace.embedded.faults import CannotStart as CannotStart
from marketplace.embedded.keys import Keys as Keys
from marketplace.embedded.lock import AlreadyRuns as AlreadyRuns
from marketplace.embedded.lock import Lock as Lock
from marketplace.embedded.program import Program as Program
from marketplace.embedded.program import spawn as spawn
from marketplace.embedded.program import stop as stop
from marketplace.embedded.stack import Prepared as Prepared
from marketplace.embedded.stack import Stack as Stack
from marketplace.embedded.stack import prepare as prepare
from marketplace.embedded.stack import temporary as temporary
