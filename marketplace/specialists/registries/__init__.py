"""The verifiers, by the keys under which the catalogue names them."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.settings import Settings
from marketplace.specialists.gateway import Verifier
from marketplace.specialists.registries.nppes import NppesVerifier
from marketplace.specialists.registries.offline import (
    AccountVerifier,
    FormatVerifier,
    IdentityVerifier,
)


def verifiers(settings: Settings) -> Mapping[str, Verifier]:
    """All that need no person: key to verifier, those first that ask nobody."""
    found: tuple[Verifier, ...] = (
        FormatVerifier(),
        IdentityVerifier(),
        AccountVerifier(),
        NppesVerifier(settings.nppes_api_base),
    )
    return {each.key: each for each in found}
