"""The verbs of payouts: payee accounts, runs, and the lines on their way."""

from marketplace.payouts.service.accounts import (
    account_named,
    account_of_person,
    open_onboarding,
    payees_after,
    record_account,
    record_facts,
)
from marketplace.payouts.service.approving import approve_run, used_in_a_day
from marketplace.payouts.service.erasure import (
    NotYetErasable,
    ask_erasure,
    carry_out_erasure,
    erase_by_command,
    reasons_against,
)
from marketplace.payouts.service.gate import (
    gate,
    newest_attempt_at,
    note_resync,
    open_strays,
    record_comparison,
    settle_stray,
    unknown_transfers,
)
from marketplace.payouts.service.lines import (
    claim_line,
    freeze_line,
    look_around,
    open_attempt,
    pause_run,
    record_absence,
    record_delay,
    record_doubt,
    record_payment,
    record_rejection,
    start_lines,
    waiting_total,
)
from marketplace.payouts.service.names import clear_hold, hold_code, hold_differing
from marketplace.payouts.service.preparing import prepare_run
from marketplace.payouts.service.releasing import (
    cancel_line,
    cancel_run,
    pause_by_hand,
    release_run,
    resume_run,
)
from marketplace.payouts.service.taxes import tax_answer

__all__ = [
    "NotYetErasable",
    "account_named",
    "account_of_person",
    "approve_run",
    "ask_erasure",
    "cancel_line",
    "cancel_run",
    "carry_out_erasure",
    "claim_line",
    "clear_hold",
    "erase_by_command",
    "freeze_line",
    "gate",
    "hold_code",
    "hold_differing",
    "look_around",
    "newest_attempt_at",
    "note_resync",
    "open_attempt",
    "open_onboarding",
    "open_strays",
    "pause_by_hand",
    "pause_run",
    "payees_after",
    "prepare_run",
    "reasons_against",
    "record_absence",
    "record_account",
    "record_comparison",
    "record_delay",
    "record_doubt",
    "record_facts",
    "record_payment",
    "record_rejection",
    "release_run",
    "resume_run",
    "settle_stray",
    "start_lines",
    "tax_answer",
    "unknown_transfers",
    "used_in_a_day",
    "waiting_total",
]
