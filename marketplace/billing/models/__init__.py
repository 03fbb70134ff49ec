"""The tables of billing."""

from marketplace.billing.models.top_ups import TopUp as TopUp
