"""A specialist's day: what there is, claiming it, doing it, and what it earned."""

from __future__ import annotations

from typing import Any, TypeAlias, Unpack

from marketplace.client.engine import Call, One, to, to_nothing
from marketplace.client.operations import M, Resource, operation, pages
from marketplace.client.records import AnyId
from marketplace.client.shapes import qualifications as qualified
from marketplace.client.shapes import quality as measured
from marketplace.client.shapes import quality_control as controlled
from marketplace.client.shapes import review as reviewed
from marketplace.client.shapes import work as shapes

ClaimOrNone: TypeAlias = shapes.Claim | shapes.NoClaim


class TaggedDraft(shapes.Draft):
    """A draft. etag: what `save_draft` names as the revision that it stands on."""

    etag: str


class Claims(Resource[M]):
    """`client.claims`: a task in your hands, under a lease that `heartbeat` keeps."""

    @operation("POST /claims")
    def next(self, job_id: AnyId | None = None) -> One[ClaimOrNone]:
        """The next task, of one job or of any; a NoClaim with reasons where there is none."""
        body = {} if job_id is None else {"job_id": job_id}
        return Call(lambda _, found: _claim(found), json=body)

    @operation("GET /claims/{claim_id}")
    def get(self, claim_id: AnyId) -> One[shapes.Claim]:
        """Your claim with its task."""
        return to(shapes.Claim)

    @operation("POST /claims/{claim_id}/heartbeat")
    def heartbeat(
        self, claim_id: AnyId, **asked: Unpack[shapes.HeartbeatAsked]
    ) -> One[shapes.Lease]:
        """Keep the lease, and book the time. Raises LeaseLost."""
        return to(shapes.Lease, json=asked)

    @operation("GET /claims/{claim_id}/draft")
    def draft(self, claim_id: AnyId) -> One[TaggedDraft]:
        """The last draft; its etag is `"0"` when none was saved."""
        return to(TaggedDraft, tagged=True)

    @operation("PUT /claims/{claim_id}/draft")
    def save_draft(
        self, claim_id: AnyId, etag: str, **asked: Unpack[shapes.DraftAsked]
    ) -> One[TaggedDraft]:
        """Save a revision on top of one. Raises LaterVersion when there is a later one."""
        return to(TaggedDraft, json=asked, headers={"If-Match": etag}, tagged=True, again=False)

    @pages("GET /claims/{claim_id}/drafts")
    def drafts(self, claim_id: AnyId) -> One[shapes.Revision]:
        """All revisions of your draft, newest first."""
        return to(shapes.Revision)

    @operation("POST /claims/{claim_id}/submission")
    def submit(
        self, claim_id: AnyId, **asked: Unpack[shapes.SubmissionAsked]
    ) -> One[shapes.HandedIn]:
        """Hand in the answer; with next=True the next task comes in the same answer."""
        return to(shapes.HandedIn, json=asked)

    @operation("POST /claims/{claim_id}/release")
    def release(self, claim_id: AnyId, fence: int) -> One[None]:
        """Give the task back; the draft stays yours."""
        return to_nothing(json={"fence": fence})

    @operation("POST /claims/{claim_id}/outcome")
    def outcome(self, claim_id: AnyId, **asked: Unpack[shapes.OutcomeAsked]) -> One[None]:
        """End it without an answer: it cannot be done, or the guidelines have a gap."""
        return to_nothing(json=asked)

    @operation("GET /claims/{claim_id}/conversation")
    def conversation(self, claim_id: AnyId) -> One[shapes.Conversation]:
        """The conversation with a model so far."""
        return to(shapes.Conversation)

    @operation("POST /claims/{claim_id}/conversation/turns")
    def say(self, claim_id: AnyId, **asked: Unpack[shapes.SaidAsked]) -> One[shapes.Conversation]:
        """Say something to the model."""
        return to(shapes.Conversation, json=asked)

    @operation("POST /claims/{claim_id}/conversation/ask")
    def ask(self, claim_id: AnyId, **asked: Unpack[shapes.TurnAsked]) -> One[shapes.Conversation]:
        """Ask the model for its replies to what was said."""
        return to(shapes.Conversation, json=asked, timeout_seconds=180.0)

    @operation("POST /claims/{claim_id}/conversation/choice")
    def choose(
        self, claim_id: AnyId, **asked: Unpack[shapes.ChoiceAsked]
    ) -> One[shapes.Conversation]:
        """Choose the reply to go on with."""
        return to(shapes.Conversation, json=asked)


def _claim(found: dict[str, Any]) -> ClaimOrNone:
    return shapes.Claim(found) if "id" in found else shapes.NoClaim(found)


class Mine(Resource[M]):
    """`client.mine`: what is told to a specialist about themselves."""

    @pages("GET /me/remarks")
    def remarks(self, /, **query: Any) -> One[measured.Remark]:
        """What reviewers said of your answers; query: job_id, verdict, severity."""
        return to(measured.Remark, query=query)

    @operation("GET /me/skill")
    def skill(self) -> One[measured.Skills]:
        """What is known of your skill, and what taught it."""
        return to(measured.Skills)

    @pages("GET /checks/rules")
    def checks(self) -> One[controlled.Firing]:
        """Rules of quality control that found something about you."""
        return to(controlled.Firing)

    @operation("POST /checks/rules/{firing_id}/reply")
    def reply_to_check(self, firing_id: AnyId, reply: str) -> One[controlled.Firing]:
        """Say your side of it."""
        return to(controlled.Firing, json={"reply": reply})

    @operation("POST /quality/firings/{firing_id}/appeal")
    def appeal_check(self, firing_id: AnyId, reason: str) -> One[reviewed.Appeal]:
        """Ask somebody else to look at it."""
        return to(reviewed.Appeal, json={"reason": reason})

    @pages("GET /questions")
    def questions(self) -> One[controlled.PackWhole]:
        """Questions about the integrity of your work."""
        return to(controlled.PackWhole)

    @operation("POST /questions/{pack_id}/reply")
    def reply_to_questions(self, pack_id: AnyId, reply: str) -> One[controlled.PackWhole]:
        """Answer them."""
        return to(controlled.PackWhole, json={"reply": reply})


class Qualifications(Resource[M]):
    """`client.qualifications`: taking them, and a lab's own."""

    @pages("GET /qualifications")
    def offered(self) -> One[qualified.Offered]:
        """What you may take, and what you have taken."""
        return to(qualified.Offered)

    @operation("POST /qualifications/{job_id}/attempts")
    def start(self, job_id: AnyId) -> One[qualified.Attempt]:
        """Begin one."""
        return to(qualified.Attempt)

    @operation("GET /qualifications/attempts/{attempt_id}")
    def attempt(self, attempt_id: AnyId) -> One[qualified.Attempt]:
        """How it went."""
        return to(qualified.Attempt)

    @operation("GET /jobs/{job_id}/qualification")
    def terms(self, job_id: AnyId) -> One[qualified.Terms]:
        """A lab's terms of one."""
        return to(qualified.Terms)

    @operation("PUT /jobs/{job_id}/qualification")
    def set_terms(
        self, job_id: AnyId, **asked: Unpack[qualified.TermsAsked]
    ) -> One[qualified.Terms]:
        """Set them."""
        return to(qualified.Terms, json=asked)

    @operation("DELETE /jobs/{job_id}/qualification")
    def remove_terms(self, job_id: AnyId) -> One[None]:
        """Make it no qualification any more."""
        return to_nothing()

    @pages("GET /qualifications/{job_id}/items")
    def items(self, job_id: AnyId) -> One[qualified.BankItem]:
        """Its questions, and how they part the able from the others."""
        return to(qualified.BankItem)

    @operation("POST /qualifications/{job_id}/items/{item_id}/retire")
    def retire_item(self, job_id: AnyId, item_id: AnyId) -> One[qualified.Retired]:
        """Ask a question no more."""
        return to(qualified.Retired)

    @operation("POST /qualifications/{job_id}/places")
    def add_places(self, job_id: AnyId, candidates_max: int) -> One[qualified.Terms]:
        """Pay for more candidates."""
        return to(qualified.Terms, json={"candidates_max": candidates_max})

    @pages("GET /qualifications/{job_id}/results")
    def results(self, job_id: AnyId) -> One[qualified.Result]:
        """Who took it, under the pseudonyms that you see, and how it went."""
        return to(qualified.Result)


class Appeals(Resource[M]):
    """`client.appeals`: your own."""

    @pages("GET /appeals")
    def list(self) -> One[reviewed.Appeal]:
        """All of them, newest first."""
        return to(reviewed.Appeal)

    @operation("GET /appeals/{appeal_id}")
    def get(self, appeal_id: AnyId) -> One[reviewed.AppealWhole]:
        """One, with what was said."""
        return to(reviewed.AppealWhole)

    @operation("POST /appeals/{appeal_id}/withdraw")
    def withdraw(self, appeal_id: AnyId) -> One[reviewed.Appeal]:
        """Take it back."""
        return to(reviewed.Appeal)
