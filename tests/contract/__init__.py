"""The API keeps the promises of its own document: every operation, every role."""
