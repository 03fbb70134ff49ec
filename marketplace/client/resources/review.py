"""What came back: submissions, deciding on them, and what is contested."""

from __future__ import annotations

from typing import Any, Unpack

from marketplace.client.engine import One, to
from marketplace.client.operations import M, Resource, operation, pages
from marketplace.client.records import AnyId, AnyMoney
from marketplace.client.shapes import billing as paid
from marketplace.client.shapes import quality_control as controlled
from marketplace.client.shapes import review as shapes
from marketplace.client.shapes import work as worked
from marketplace.client.shapes.provenance import Provenance


class Submissions(Resource[M]):
    """`client.submissions`."""

    @pages("GET /jobs/{job_id}/submissions")
    def list(self, job_id: AnyId, after: str | None = None) -> One[shapes.JobSubmission]:
        """All that came back of a job, in order of coming."""
        return to(shapes.JobSubmission, query={"after": after})

    @operation("GET /submissions/{submission_id}/provenance")
    def provenance(self, submission_id: AnyId) -> One[Provenance]:
        """Who gave it, when, under what, how it was reviewed, and how it is chained."""
        return to(Provenance)

    @operation("POST /submissions/{submission_id}/decision")
    def decide(
        self, submission_id: AnyId, **asked: Unpack[shapes.DecisionAsked]
    ) -> One[shapes.Decision]:
        """Accept it, ask for rework, or reject it."""
        return to(shapes.Decision, json=asked)

    @operation("POST /submissions/{submission_id}/third-person")
    def ask_third_person(self, submission_id: AnyId) -> One[shapes.Case]:
        """Have somebody else settle it."""
        return to(shapes.Case)

    @operation("POST /submissions/{submission_id}/bonuses")
    def give_bonus(self, submission_id: AnyId, amount: AnyMoney, words: str) -> One[paid.Bonus]:
        """Pay on top, and say what for."""
        return to(paid.Bonus, json={"amount": amount, "words": words})

    @operation("GET /submissions/{submission_id}/receipt")
    def receipt(self, submission_id: AnyId) -> One[worked.Receipt]:
        """For its author: what was handed in, and what became of it."""
        return to(worked.Receipt)

    @operation("POST /submissions/{submission_id}/appeal")
    def appeal(self, submission_id: AnyId, reason: str) -> One[shapes.Appeal]:
        """For its author: ask somebody else to look at the decision."""
        return to(shapes.Appeal, json={"reason": reason})

    @operation("POST /submissions/{submission_id}/gold-dispute")
    def dispute_gold(self, submission_id: AnyId, reason: str) -> One[controlled.Dispute]:
        """For its author: say why the known answer is wrong."""
        return to(controlled.Dispute, json={"reason": reason})

    @operation("POST /submissions/{submission_id}/judge-faults")
    def report_judge(
        self, submission_id: AnyId, **asked: Unpack[worked.FaultAsked]
    ) -> One[worked.Addendum]:
        """For its author: say what is wrong with a model's judgement."""
        return to(worked.Addendum, json=asked)


class Review(Resource[M]):
    """`client.review`: what waits for a decision."""

    @pages("GET /jobs/{job_id}/review-queue")
    def queue(self, job_id: AnyId, /, **query: Any) -> One[shapes.Waiting]:
        """What waits; query: reason, defect."""
        return to(shapes.Waiting, query=query)

    @operation("GET /jobs/{job_id}/review-rules")
    def rules(self, job_id: AnyId) -> One[shapes.Policy]:
        """How answers of a job are reviewed."""
        return to(shapes.Policy)

    @operation("PUT /jobs/{job_id}/review-rules")
    def set_rules(self, job_id: AnyId, **asked: Unpack[shapes.PolicyAsked]) -> One[shapes.Policy]:
        """Set it."""
        return to(shapes.Policy, json=asked)

    @operation("GET /jobs/{job_id}/reviewers")
    def reviewers(self, job_id: AnyId) -> One[shapes.Reviewers]:
        """Who reviews, and how they agree."""
        return to(shapes.Reviewers)

    @operation("GET /jobs/{job_id}/defect-codes")
    def defect_codes(self, job_id: AnyId) -> One[shapes.Codes]:
        """The defects that a decision can name."""
        return to(shapes.Codes)

    @operation("GET /holds")
    def holds(self) -> One[shapes.Holds]:
        """Work that waits for a person's word."""
        return to(shapes.Holds)

    @operation("POST /holds/{hold_id}")
    def settle_hold(self, hold_id: AnyId, **asked: Unpack[shapes.HoldAsked]) -> One[shapes.Hold]:
        """Say what becomes of it."""
        return to(shapes.Hold, json=asked)

    @pages("GET /jobs/{job_id}/contested")
    def contested(self, job_id: AnyId) -> One[shapes.Case]:
        """Tasks on whose answer people do not agree."""
        return to(shapes.Case)

    @operation("POST /contested/{case_id}")
    def settle(self, case_id: AnyId, **asked: Unpack[shapes.SettleAsked]) -> One[shapes.Case]:
        """Say which answer stands."""
        return to(shapes.Case, json=asked)

    @pages("GET /review/appeals")
    def appeals(self) -> One[shapes.Appeal]:
        """Appeals against your lab's decisions."""
        return to(shapes.Appeal)

    @operation("GET /review/appeals/{appeal_id}")
    def appeal(self, appeal_id: AnyId) -> One[shapes.AppealWhole]:
        """One, with what was said."""
        return to(shapes.AppealWhole)

    @operation("POST /review/appeals/{appeal_id}/statement")
    def state(self, appeal_id: AnyId, statement: str) -> One[shapes.Appeal]:
        """Say your lab's side."""
        return to(shapes.Appeal, json={"statement": statement})
