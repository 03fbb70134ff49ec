"""Pages for specialists: home, feed, workbench, earnings, credentials.

Owns how a specialist sees their work and their money; every query is scoped to the person signed
in. Promises: before a claim the page says pay, time, AI policy and rejection rules; what is typed
in the workbench is never lost. Never: shows a lab's other specialists.
"""

from marketplace.web.specialists import (
    claim_actions,
    claiming,
    connections,
    credentials,
    earnings,
    feed,
    home,
    onboarding,
    payee,
    profile,
    qualifications,
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
    "onboarding",
    "payee",
    "profile",
    "qualifications",
    "specialists",
    "submissions",
]
