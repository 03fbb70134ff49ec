"""Pages before one is signed in: sign-up, sign-in, second factor, verification, reset, joining."""

from marketplace.web.sign_in import entry, joining, passwords
from marketplace.web.sign_in.blueprint import sign_in

__all__ = ["entry", "joining", "passwords", "sign_in"]
