"""The outbox: work to do and facts to tell, written in the transaction that caused them.

`enqueue` leaves a row that the relay hands to a worker until the background function's own last
transaction calls `done`. Redis or a worker may be lost at any moment; the row is leased out again.
So every background function is safe to run twice. `announce` leaves a fact; the sequencer numbers
and hash-chains facts after they commit, so a reader's cursor never skips one.
"""

from marketplace.outbox.facts import ALL as ALL
from marketplace.outbox.facts import ChainHead as ChainHead
from marketplace.outbox.facts import Event as Event
from marketplace.outbox.facts import announce as announce
from marketplace.outbox.facts import broken_chains as broken_chains
from marketplace.outbox.facts import fact as fact
from marketplace.outbox.facts import linked as linked
from marketplace.outbox.facts import unnumbered as unnumbered
from marketplace.outbox.rounds import FAILURES as FAILURES
from marketplace.outbox.rounds import Round as Round
from marketplace.outbox.rounds import one_by_one as one_by_one
from marketplace.outbox.sequencer import number_events as number_events
from marketplace.outbox.work import Background as Background
from marketplace.outbox.work import Backlog as Backlog
from marketplace.outbox.work import OutboxRow as OutboxRow
from marketplace.outbox.work import Work as Work
from marketplace.outbox.work import again as again
from marketplace.outbox.work import background as background
from marketplace.outbox.work import backlog as backlog
from marketplace.outbox.work import bound as bound
from marketplace.outbox.work import done as done
from marketplace.outbox.work import enqueue as enqueue
from marketplace.outbox.work import enqueue_once as enqueue_once
from marketplace.outbox.work import enqueue_slots as enqueue_slots
from marketplace.outbox.work import lease_due as lease_due
from marketplace.outbox.work import open_work as open_work
from marketplace.outbox.work import purge as purge
from marketplace.outbox.work import release_key as release_key
from marketplace.outbox.work import release_leases as release_leases
from marketplace.outbox.work import renew as renew
