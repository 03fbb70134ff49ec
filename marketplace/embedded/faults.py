"""The one way in which the embedded stack refuses."""


class CannotStart(Exception):
    """The stack cannot start; the message is one sentence that says what to do about it."""
