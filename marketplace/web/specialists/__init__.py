"""Pages for specialists: onboarding, home, feed, workbench, earnings, credentials.

Owns how a specialist sees their work and their money; every query is scoped to the person signed
in. Promises: before a claim the page says pay, time, AI policy, rejection, late and rework rules;
what is typed in the workbench is never lost; a closed job says every reason and what to do about
it; no code of a verifier reaches a page, only sentences (`verdict_words`). Never: shows a lab's
other specialists.

Decisions
- 2026-11: onboarding is eight short pages, each saved on its own; who comes back goes on at the
  first open one. The browser that signed up is signed in by the mailed link; any other is asked
  for the password, since the link alone may have been forwarded.
- 2026-11: the feed's order and kinds stand in the address; amounts are compared within a currency
  only, one's own first. What a step opens is counted from the reasons of closed jobs.
- 2026-11: the workbench (`bench`, `answers`, `envelope_form`, `drafts`, `keys`) works without
  script; with it, one window has a task at a time (the second is told and may take it), a draft
  that another browser changed is never written over unasked, saving goes on after an hour without
  a network, and a sign-in that ended begins again in a dialog with the server's own forms. Keys
  are places on the keyboard; FRAME_KEYS belong to every task, TYPE_KEYS to its type.
- 2026-11: what is typed as an identifier is checked by POST, so that no log holds it.
"""

from marketplace.web.specialists import (
    claim_actions,
    claiming,
    connections,
    credentials,
    earnings,
    feed,
    home,
    household,
    keys,
    onboarding,
    payee,
    profile,
    qualifications,
    receipts,
    submissions,
)
from marketplace.web.specialists.blueprint import specialists

__all__ = [
    "claim_actions",
    "claiming",
    "connections",
    "credentials",
    "earnings",
    "feed",
    "home",
    "household",
    "keys",
    "onboarding",
    "payee",
    "profile",
    "qualifications",
    "receipts",
    "specialists",
    "submissions",
]
