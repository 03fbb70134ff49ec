"""A person's own pages: profile, organisations, signed-in browsers, API tokens, second factor."""

from marketplace.web.account import browsers, profile, second_factor, tokens
from marketplace.web.account.blueprint import account

__all__ = ["account", "browsers", "profile", "second_factor", "tokens"]
