"""Run as a program inside a stack's environment: makes a lab and doctors, prints their tokens."""

from __future__ import annotations

import json
import os

from marketplace import factory
from marketplace.db import transaction
from marketplace.identity import service as identity_service
from marketplace.money import Money
from marketplace.settings import Settings
from tests.make import identity, specialists
from tests.make import work as make

DOCTORS = 3


def main() -> None:
    """Print {"lab": token, "doctors": [tokens]}."""
    factory.start(Settings.from_environ(os.environ))
    with transaction() as session:
        lab = identity.lab_owner(session)
        make.money_in(session, lab, Money(5_000_00, "USD"))
        doctors = [specialists.doctor(session) for _ in range(DOCTORS)]
        tokens = [
            identity_service.create_token(session, actor, name="faults")[1]
            for actor in (lab, *doctors)
        ]
    print(json.dumps({"lab": tokens[0], "doctors": tokens[1:]}))  # noqa: T201


if __name__ == "__main__":
    main()
