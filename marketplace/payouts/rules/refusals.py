"""What payouts refuse, and to whom it is said."""

from __future__ import annotations

from marketplace.errors import Conflict, Denied, Refused


class BelowMinimum(Refused):
    """Nobody has enough to be paid."""

    code = "nothing_to_pay"


class OwnRun(Denied):
    """The preparer may not approve what they prepared."""

    code = "own_run"


class PayeeEditor(Denied):
    """Whoever changed a payee last may not send money to it."""

    code = "payee_editor"


class ContentChanged(Conflict):
    """The run is not what the approver saw."""

    code = "content_changed"
