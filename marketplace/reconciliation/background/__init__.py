"""What reconciliation does by itself."""

from marketplace.reconciliation.background.pulling import pull as pull
