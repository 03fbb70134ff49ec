"""The platform's public keys, where programs look for such things (RFC 8615)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from marketplace import secrets
from marketplace.verify.keys import jwk
from marketplace.web.guards import public

signing_keys = Blueprint("signing_keys", __name__)
KEPT_SECONDS = 3_600


@signing_keys.get("/.well-known/marketplace-keys.json")
@public
def keys() -> Response:
    """A JWK set of the keys that sign proofs, newest first; old ones stay while they are kept."""
    answer = jsonify(keys=[jwk(public) for public in secrets.public_keys().values()])
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return answer
