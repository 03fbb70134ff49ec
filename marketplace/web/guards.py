"""Guards: each view says who may use it, and one place asks before any view runs.

    @jobs.get("/lab/jobs")
    @needs(Permission.JOBS_VIEW)
    def list_jobs() -> str: ...

`@public`, `@signed_in` and `@needs(…)` only mark the function (the order of decorators does not
matter, methods of a MethodView may be marked as well); `check_guard` runs before each request, and
an application with an unmarked endpoint is refused when it is made. Inside a view, `me()` is the
actor to pass to verbs and queries.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request

from marketplace import limits
from marketplace.actor import Actor
from marketplace.errors import Denied, SignInNeeded
from marketplace.identity.queries import Visitor
from marketplace.identity.rules import Permission

View = TypeVar("View", bound=Callable[..., Any])
MARK = "marketplace_guard"


class Access(StrEnum):
    """How much must be known about the visitor."""

    PUBLIC = "public"
    UNVERIFIED = "unverified"
    SIGNED_IN = "signed_in"
    PERMITTED = "permitted"


@dataclass(frozen=True, slots=True)
class Guard:
    """The mark on a view; permissions: one of them is enough, none unless access is PERMITTED."""

    access: Access
    permissions: tuple[Permission, ...] = ()

    def lets(self, held: Collection[str]) -> bool:
        """Whether these permissions are enough."""
        return not self.permissions or any(each in held for each in self.permissions)


class EmailUnverified(Denied):
    """This person has not yet opened the link that we mailed."""

    code = "email_unverified"


class UnguardedEndpoint(RuntimeError):
    """An endpoint does not say who may use it: our own fault, found when the app is made."""


def _mark(view: View, guard: Guard) -> View:
    setattr(view, MARK, guard)
    return view


def public(view: View) -> View:
    """Anyone may use this view, signed in or not."""
    return _mark(view, Guard(Access.PUBLIC))


def signed_in_even_unverified(view: View) -> View:
    """Anyone signed in, even before their e-mail address is verified."""
    return _mark(view, Guard(Access.UNVERIFIED))


def signed_in(view: View) -> View:
    """Anyone signed in whose e-mail address is verified."""
    return _mark(view, Guard(Access.SIGNED_IN))


def needs(*permissions: Permission) -> Callable[[View], View]:
    """Only those who hold the permission (one of them, where several are named) in the
    organisation that they act for."""
    if not permissions:
        raise ValueError("Name a permission, or mark the view as signed_in.")

    def mark(view: View) -> View:
        return _mark(view, Guard(Access.PERMITTED, permissions))

    return mark


def visitor() -> Visitor | None:
    """Who is here: the person, the organisations, the actor; None when nobody is signed in."""
    return cast("Visitor | None", g.get("visitor"))


def me() -> Actor:
    """The actor of this request; SignInNeeded when nobody is signed in."""
    here = visitor()
    if here is None:
        raise SignInNeeded("Sign in first.")
    return here.actor


def step_up_try() -> None:
    """Count a try at a code or password; TooOften when there were too many.

    Call it, outside a transaction, before any verb that checks a code, such as an approval.
    """
    limits.current().hit(limits.SECOND_FACTOR, str(me().person()))


def step_up_counted(view: View) -> View:
    """Call `step_up_try` before a view whose transaction is opened by a decorator below this."""

    @functools.wraps(view)
    def counted(*args: Any, **kwargs: Any) -> Any:
        step_up_try()
        return view(*args, **kwargs)

    return cast("View", counted)


def guard_of(view: Callable[..., Any], method: str) -> Guard | None:
    """The mark that stands for a method of a view, or None."""
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        found = getattr(getattr(view_class, method.lower(), None), MARK, None)
        return cast("Guard | None", found or getattr(view_class, MARK, None))
    return cast("Guard | None", getattr(view, MARK, None))


def guarded_endpoints(app: Flask) -> Iterator[tuple[str, str, str, Guard | None]]:
    """(endpoint, rule, method, guard) for all that the application answers."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view = app.view_functions[rule.endpoint]
            yield rule.endpoint, rule.rule, method, guard_of(view, method)


def refuse_unguarded(app: Flask) -> None:
    """Raise UnguardedEndpoint when any endpoint has no mark."""
    bare = sorted({name for name, _, _, guard in guarded_endpoints(app) if guard is None})
    if bare:
        raise UnguardedEndpoint(f"These endpoints do not say who may use them: {', '.join(bare)}.")


def check_guard() -> None:
    """Raise unless the visitor may use the endpoint asked for; unknown URLs pass on to the 404."""
    if request.endpoint is None or request.method == "OPTIONS":
        return
    method = "GET" if request.method == "HEAD" else request.method
    guard = guard_of(current_app.view_functions[request.endpoint], method)
    if guard is None:
        raise Denied("Nobody may use this.")
    allow(guard, visitor())


def allow(guard: Guard, here: Visitor | None) -> None:
    """Raise SignInNeeded, EmailUnverified or Denied unless `here` passes the guard."""
    if guard.access is Access.PUBLIC:
        return
    if here is None:
        raise SignInNeeded("Sign in first.")
    if guard.access is Access.UNVERIFIED:
        return
    if not here.verified:
        raise EmailUnverified("Open the link that we mailed you first.")
    if not guard.lets(here.actor.permissions):
        here.actor.require(guard.permissions[0])
