"""Credentials, of their holders and of who verifies them; and what else operations decides."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Unpack

from marketplace.client.engine import One, to, to_bytes
from marketplace.client.operations import M, Resource, operation, pages, steps
from marketplace.client.records import AnyId
from marketplace.client.sending import Counted, Progress
from marketplace.client.shapes import credentials as shapes
from marketplace.client.shapes import quality_control as controlled
from marketplace.client.shapes import review as reviewed

BINARY = "application/octet-stream"


class Credentials(Resource[M]):
    """`client.credentials`: a specialist's own."""

    @operation("GET /credentials")
    def list(self) -> One[shapes.Credentials]:
        """All of them."""
        return to(shapes.Credentials)

    @operation("POST /credentials")
    def claim(self, **asked: Unpack[shapes.CredentialAsked]) -> One[shapes.Credential]:
        """Claim one; it counts once it is verified."""
        return to(shapes.Credential, json=asked)

    @operation("GET /credentials/{claim_id}")
    def get(self, claim_id: AnyId) -> One[shapes.CredentialDetail]:
        """One, with what was checked."""
        return to(shapes.CredentialDetail)

    @operation("POST /credentials/{claim_id}/amend")
    def amend(self, claim_id: AnyId, specialties: Sequence[str]) -> One[shapes.Amendment]:
        """Ask for other specialties."""
        return to(shapes.Amendment, json={"specialties": list(specialties)})

    @operation("POST /credentials/{claim_id}/amend/withdraw")
    def withdraw_amendment(self, claim_id: AnyId) -> One[shapes.Credential]:
        """Take that back."""
        return to(shapes.Credential)

    @steps
    async def add_evidence(
        self,
        claim_id: AnyId,
        file: str | os.PathLike[str],
        *,
        fields: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> shapes.Evidence:
        """Send a document that proves it; fields: the other fields of the form."""
        with closing(Counted(file, progress)) as content:
            call = to(
                shapes.Evidence,
                form=dict(fields or {}),
                files={"file": (Path(file).name, content, BINARY)},
                again=False,  # Nothing tells the same document twice from two of them.
            )
            sent: shapes.Evidence = await self._engine.run(
                "POST", f"/credentials/{claim_id}/evidence", call
            )
            return sent

    @operation("GET /credentials/{claim_id}/evidence/{file_id}")
    def evidence(self, claim_id: AnyId, file_id: AnyId) -> One[bytes]:
        """A document as it was sent."""
        return to_bytes()

    @operation("POST /credentials/{claim_id}/recheck")
    def recheck(self, claim_id: AnyId) -> One[shapes.Credential]:
        """Ask the register again."""
        return to(shapes.Credential)

    @operation("POST /credentials/{claim_id}/renew")
    def renew(self, claim_id: AnyId, **asked: Unpack[shapes.RenewalAsked]) -> One[shapes.Renewal]:
        """Say that it holds for longer."""
        return to(shapes.Renewal, json=asked)

    @operation("POST /credentials/{claim_id}/withdraw")
    def withdraw(self, claim_id: AnyId) -> One[shapes.Credential]:
        """Claim it no more."""
        return to(shapes.Credential)


class Operations(Resource[M]):
    """`client.operations`: for the platform's own people."""

    @pages("GET /operations/credentials")
    def credentials(self, /, **query: Any) -> One[shapes.Credential]:
        """Claims; query: state, type, waits."""
        return to(shapes.Credential, query=query)

    @operation("POST /operations/credentials/{claim_id}/decision")
    def decide_credential(
        self, claim_id: AnyId, **asked: Unpack[shapes.CredentialDecision]
    ) -> One[shapes.CredentialDecided]:
        """Verify it, or not."""
        return to(shapes.CredentialDecided, json=asked)

    @operation("POST /operations/credentials/{claim_id}/confirmation")
    def confirm_credential(
        self, claim_id: AnyId, **asked: Unpack[shapes.SecondLook]
    ) -> One[shapes.CredentialDecided]:
        """Agree with the first look, or not."""
        return to(shapes.CredentialDecided, json=asked)

    @pages("GET /operations/appeals")
    def appeals(self, state: str | None = None) -> One[reviewed.Appeal]:
        """Appeals that wait, or all of a state."""
        return to(reviewed.Appeal, query={"state": state})

    @operation("GET /operations/appeals/{appeal_id}")
    def appeal(self, appeal_id: AnyId) -> One[reviewed.AppealWhole]:
        """One, with what was said."""
        return to(reviewed.AppealWhole)

    @operation("POST /operations/appeals/{appeal_id}/take")
    def take_appeal(self, appeal_id: AnyId) -> One[reviewed.Appeal]:
        """Take it on."""
        return to(reviewed.Appeal)

    @operation("POST /operations/appeals/{appeal_id}/give-back")
    def give_back_appeal(self, appeal_id: AnyId) -> One[reviewed.Appeal]:
        """Leave it to somebody else."""
        return to(reviewed.Appeal)

    @operation("POST /operations/appeals/{appeal_id}/decision")
    def decide_appeal(
        self, appeal_id: AnyId, **asked: Unpack[reviewed.AppealDecision]
    ) -> One[reviewed.Appeal]:
        """Decide on it."""
        return to(reviewed.Appeal, json=asked)

    @pages("GET /operations/questions")
    def questions(self) -> One[controlled.Pack]:
        """Questions about the integrity of work."""
        return to(controlled.Pack)

    @operation("GET /operations/questions/{pack_id}")
    def question(self, pack_id: AnyId) -> One[controlled.PackWhole]:
        """One, with what speaks for and against."""
        return to(controlled.PackWhole)

    @operation("POST /operations/questions/{pack_id}/send")
    def send_question(self, pack_id: AnyId) -> One[controlled.PackWhole]:
        """Ask the person."""
        return to(controlled.PackWhole)

    @operation("POST /operations/questions/{pack_id}/close")
    def close_question(
        self, pack_id: AnyId, **asked: Unpack[controlled.CloseAsked]
    ) -> One[controlled.PackWhole]:
        """Say how it ends."""
        return to(controlled.PackWhole, json=asked)
