"""Background work of specialists: what time does, and what asks others."""

from marketplace.specialists.background.expiry import expire as expire
