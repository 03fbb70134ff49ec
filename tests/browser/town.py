"""The demonstration world behind the served pages: which page is whose, and its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.delivery.models import Export
from marketplace.demo import world
from marketplace.demo.people import actor_of, person_of
from marketplace.identity import queries
from marketplace.identity import service as identity
from marketplace.jobs.models import Job
from marketplace.ledger.models import LedgerTransaction
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.quality.models import Pipeline
from marketplace.routing import service as routing
from marketplace.specialists.models import CredentialClaim
from marketplace.work.models import Claim, Submission
from tests.browser.place import Place

PASSWORD = "correct horse battery staple"
STRANGER = ""
LAB, LAB2, DOCTOR, LAWYER, CODER = (
    "lab@demo.test",
    "lab2@demo.test",
    "doctor@demo.test",
    "lawyer@demo.test",
    "coder@demo.test",
)
OPERATIONS, FINANCE, APPROVER, AUDITOR = (
    "operations@demo.test",
    "finance@demo.test",
    "approver@demo.test",
    "auditor@demo.test",
)

WORKERS = (DOCTOR, LAWYER, CODER)

# Who opens which page; what stands in braces is found in the world.
PAGES: Mapping[str, tuple[str, str]] = {
    "home": (STRANGER, "/"),
    "sign-in": (STRANGER, "/sign-in"),
    "sign-up": (STRANGER, "/sign-up"),
    "forgotten": (STRANGER, "/reset-password"),
    "not-found": (STRANGER, "/sign-up/nowhere"),
    "lab-jobs": (LAB, "/lab/jobs"),
    "lab-new": (LAB, "/lab/jobs/new"),
    "lab-builder": (LAB, "/lab/jobs/new?type=pairwise"),
    "lab-rubric-builder": (LAB, "/lab/jobs/new?type=rubric"),
    "lab-ready": (LAB, "/lab/jobs/ready"),
    "lab-label-studio": (LAB, "/lab/jobs/label-studio"),
    "lab-models": (LAB, "/lab/models"),
    "lab-new-model": (LAB, "/lab/models/new"),
    "lab-job": (LAB, "/lab/jobs/{job}"),
    "lab-items": (LAB, "/lab/jobs/{job}/items"),
    "lab-submissions": (LAB, "/lab/jobs/{job}/submissions"),
    "lab-quality": (LAB, "/lab/jobs/{job}/quality"),
    "lab-pipeline": (LAB, "/lab/jobs/{hybrid}/pipeline"),
    "lab-disagreements": (LAB, "/lab/jobs/{job}/disagreements"),
    "lab-scan": (LAB, "/lab/jobs/{job}/scan"),
    "lab-reports": (LAB, "/lab/jobs/{job}/reports"),
    "lab-versions": (LAB, "/lab/jobs/{job}/versions"),
    "lab-new-version": (LAB, "/lab/jobs/{job}/versions/new"),
    "lab-settings": (LAB, "/lab/jobs/{job}/edit"),
    "lab-job-exports": (LAB, "/lab/jobs/{job}/exports"),
    "lab-publish": (LAB, "/lab/jobs/{draft}/publish"),
    "lab-close": (LAB, "/lab/jobs/{job}/close"),
    "lab-review": (LAB, "/lab/review"),
    "lab-review-one": (LAB, "/lab/review/{reviewed}"),
    "lab-exports": (LAB, "/lab/exports"),
    "lab-export": (LAB, "/lab/exports/{export}"),
    "lab-balance": (LAB, "/lab/balance"),
    "lab-members": (LAB, "/organisation/members"),
    "work-home": (DOCTOR, "/work"),
    "work-feed": (LAWYER, "/work/feed"),
    "work-job": (CODER, "/work/jobs/{job}"),
    "work-earnings": (DOCTOR, "/work/earnings"),
    "work-credentials": (DOCTOR, "/work/credentials"),
    "work-credential": (DOCTOR, "/work/credentials/{own_credential}"),
    "work-new-credential": (DOCTOR, "/work/credentials/new"),
    "work-claim-form": (DOCTOR, "/work/credentials/new?type=us_medical_license"),
    "work-start-profession": (DOCTOR, "/work/start/profession"),
    "work-start-credential": (DOCTOR, "/work/start/credential"),
    "work-profile": (DOCTOR, "/work/profile"),
    "work-submissions": (DOCTOR, "/work/submissions"),
    "work-receipt": (DOCTOR, "/work/submissions/{own_submission}"),
    "work-skill": (DOCTOR, "/work/skill"),
    "work-remarks": (DOCTOR, "/work/remarks"),
    "work-qualifications": (DOCTOR, "/work/qualifications"),
    "workbench-medicine": (DOCTOR, "/work/tasks/{task_of_doctor}"),
    "workbench-law": (LAWYER, "/work/tasks/{task_of_lawyer}"),
    "workbench-code": (CODER, "/work/tasks/{task_of_coder}"),
    "workbench-drafts": (DOCTOR, "/work/tasks/{task_of_doctor}/drafts"),
    "workbench-leave": (DOCTOR, "/work/tasks/{task_of_doctor}/leave"),
    "operations-credentials": (OPERATIONS, "/operations/credentials"),
    "operations-credential": (OPERATIONS, "/operations/credentials/{credential}"),
    "operations-cases": (OPERATIONS, "/operations/cases"),
    "operations-catalogue": (OPERATIONS, "/operations/catalogue"),
    "operations-lists": (OPERATIONS, "/operations/lists"),
    "operations-hits": (OPERATIONS, "/operations/hits"),
    "operations-payees": (OPERATIONS, "/operations/payees"),
    "operations-people": (OPERATIONS, "/operations/people"),
    "operations-person": (OPERATIONS, "/operations/people/{person}"),
    "finance-desk": (FINANCE, "/finance"),
    "finance-runs": (FINANCE, "/finance/payout-runs"),
    "finance-prepare": (FINANCE, "/finance/payout-runs/new"),
    "finance-run-sent": (FINANCE, "/finance/payout-runs/{sent_run}"),
    "finance-run-draft": (APPROVER, "/finance/payout-runs/{draft_run}"),
    "finance-trial-balance": (AUDITOR, "/finance/trial-balance"),
    "finance-ledger": (AUDITOR, "/finance/accounts"),
    "finance-account": (FINANCE, "/finance/accounts/{account}"),
    "finance-transaction": (FINANCE, "/finance/transactions/{transaction}"),
    "finance-invoices": (FINANCE, "/finance/invoices"),
    "finance-reconciliation": (FINANCE, "/finance/reconciliation"),
    "account": (LAB, "/account"),
    "account-password": (LAB, "/account/password"),
    "account-second-factor": (LAB, "/account/second-factor"),
    "account-browsers": (LAB, "/account/sign-ins"),
    "account-tokens": (LAB, "/account/tokens"),
    "account-organisations": (LAB, "/account/organisations"),
    "api-docs": (LAB, "/api/docs"),
    "house": (LAB, "/house/ui"),
}


@dataclass(frozen=True)
class Town:
    """The world's people by their cookies, and its things by their names."""

    cookies: Mapping[str, str]
    things: Mapping[str, str]

    def path(self, page: str) -> str:
        """The address of a page."""
        return PAGES[page][1].format(**self.things)

    def cookie(self, page: str) -> str:
        """The cookie of whoever looks at a page."""
        return self.cookies.get(PAGES[page][0], "")


def build(place: Place) -> Town:
    """The demonstration world, written down by the services."""
    place.empty()
    with place.worker.resting():
        world.build(PASSWORD, say=_quietly)
    place.worker.run_soon("reconciliation.pull")
    emails = sorted({who for who, _ in PAGES.values() if who})
    with transaction() as session:
        cookies = {
            email: identity.sign_in(session, email=email, password=PASSWORD)[1] for email in emails
        }
        return Town(cookies, _things(session))


def _quietly(_words: str) -> None:
    """Nobody watches."""


def _things(session: Session) -> dict[str, str]:
    doctor = person_of(session, DOCTOR).id
    hybrid = select(Pipeline.job_id)
    labs_jobs = select(Job.id).where(Job.organisation_id == _lab(session), Job.id.not_in(hybrid))
    waiting = select(Submission.job_id).where(Submission.state.in_(("submitted", "in_review")))
    wanted: dict[str, Any] = {
        "job": labs_jobs.where(Job.state == "open").order_by(Job.item_count.desc()),
        "hybrid": hybrid,
        "draft": labs_jobs.where(Job.state == "draft"),
        "reviewed": labs_jobs.where(Job.id.in_(waiting)),
        "export": select(Export.id).where(Export.job_id.in_(labs_jobs)),
        "own_credential": select(CredentialClaim.id).where(CredentialClaim.person_id == doctor),
        "own_submission": select(Submission.id).where(Submission.specialist_id == doctor),
        "credential": select(CredentialClaim.id).where(CredentialClaim.state == "checking"),
        "sent_run": select(PayoutRun.id).where(PayoutRun.state == "sent"),
        "draft_run": select(PayoutRun.id).where(PayoutRun.state == "draft"),
        "transaction": select(LedgerTransaction.id).order_by(LedgerTransaction.number.desc()),
        "payee": select(PayoutLine.specialist_id),
    }
    things = {name: str(session.scalar(each.limit(1))) for name, each in wanted.items()}
    missing = [name for name, found in things.items() if found == "None"]
    assert not missing, f"The world has no {missing}."
    account = quote(f"L:spec:{things['payee']}:available:USD")
    tasks = {f"task_of_{who.partition('@')[0]}": _task(session, who) for who in WORKERS}
    return things | tasks | {"person": str(doctor), "account": account}


def _task(session: Session, email: str) -> str:
    """The claim on the next task of whatever fits."""
    claim = routing.claim_next(session, actor_of(session, email))
    assert isinstance(claim, Claim), f"Nothing fits {email}."
    return str(claim.id)


def _lab(session: Session) -> UUID:
    return queries.belongings(session, person_of(session, LAB).id)[0].organisation_id
