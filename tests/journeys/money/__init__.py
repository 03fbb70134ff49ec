"""The money machine: the product against the sandbox, killed at any moment, and brought to rest."""
