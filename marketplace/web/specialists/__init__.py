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
- 2026-11: no keystroke is lost. Each change goes into the browser's database; a page that goes
  away leaves its last words in localStorage too, at once, and sends them with `keepalive`. A copy
  carries the revision that it was typed upon and what was on its way to the server: by these, not
  by clocks, it comes back by itself, is dropped as saved, or is offered to its writer and nobody
  else, and then stands on top as one more revision. An answer of the server that was lost is asked
  for again with the same words. Where nothing can be stored the page says so, and asks before it
  closes. Signing out forgets all copies, and asks first where one holds unsaved words.
- 2026-11: `E` takes what is selected, or the region that is chosen, as evidence of a reason: place
  in the item (JSON pointer), words, what stands around them; offsets where the text is shown
  letter for letter. What a page after the last task has to say is not fetched and thrown away:
  the script is told where to go.
- 2026-11: what is typed as an identifier is checked by POST, so that no log holds it.
- 2026-11: `skill` tells a skill with its interval and all that taught it; known answers in sums and
  a day late, so that it gives no gold away. A drop is told in kind words, and only where the
  interval shows one. An overturned remark stays to be read, and says that it counts no more.
- 2026-11: money is shown by what happens next: days on which pay clears stand in the reader's own
  zone, statements go by the book's days and say so. A tax number is never sent back to a page.
"""

from marketplace.web.specialists import (
    accommodation,
    appeals,
    checks,
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
    questions,
    receipts,
    skill,
    statements,
    submissions,
    tax_form,
)
from marketplace.web.specialists.blueprint import specialists

__all__ = [
    "accommodation",
    "appeals",
    "checks",
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
    "questions",
    "receipts",
    "skill",
    "specialists",
    "statements",
    "submissions",
    "tax_form",
]
