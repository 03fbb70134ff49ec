"""Forms: marshmallow at the edge, faults back to the fields.

    asked = load(NewJob)                       # Faulty when the form has faults
    …
    return refill("labs/new.html", error)      # the same page with the faults beside the fields

The decorator does both for a view that redirects when all went well:

    @jobs.post("/lab/jobs/new")
    @needs(Permission.JOBS_EDIT)
    @form_page("labs/new.html")
    def create() -> Response: ...
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec

from flask import make_response, render_template, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from marketplace.errors import Fault, Faulty
from marketplace.web.errors import faults_of, status_of

P = ParamSpec("P")
MESSAGE = "Some of what you typed needs mending."
# Never sent back to the browser that typed it.
SECRET_FIELDS = frozenset(
    {
        *("password", "current_password", "new_password", "code", "csrf_token"),
        *("api_key", "secret_access_key", "tin"),
    }
)


class Form(Schema):
    """A form's schema: fields beyond it (the form token, buttons) are left out."""

    class Meta:
        unknown = EXCLUDE


def load(schema: type[Schema], typed_fields: MultiDict[str, str] | None = None) -> dict[str, Any]:
    """What a form says, as the schema reads it; Faulty with a pointer for each faulty field.

    A field of a list type takes all values of its name; others take the first.
    """
    source = request.form if typed_fields is None else typed_fields
    made = schema()
    plain = {
        name: source.getlist(name) if _is_list(made, name) else source[name]
        for name in source
        if name in made.fields
    }
    try:
        loaded: dict[str, Any] = made.load(plain)
    except ValidationError as faulty:
        raise Faulty(MESSAGE, faults_of(faulty.messages)) from None
    return loaded


def _is_list(schema: Schema, name: str) -> bool:
    return isinstance(schema.fields[name], fields.List)


def field_errors(faults: Iterable[Fault]) -> dict[str, str]:
    """Messages by field name (`/pay/amount` is `pay.amount`); what belongs to none is at ``."""
    errors: dict[str, str] = {}
    for fault in faults:
        name = fault.pointer.strip("/").replace("/", ".")
        errors[name] = f"{errors[name]} {fault.message}" if name in errors else fault.message
    return errors


def typed() -> dict[str, Any]:
    """What was typed, to fill the form again; never secrets, nor the NUL that HTML cannot hold."""
    shown = (
        (name, [value.replace("\0", "") for value in values])
        for name, values in request.form.lists()
        if name not in SECRET_FIELDS
    )
    return {name: values if len(values) > 1 else values[0] for name, values in shown}


def refill(template: str, error: Faulty, /, **facts: Any) -> Response:
    """The page again with status 422; it sees `typed`, `errors` (by field) and `message`."""
    errors = field_errors(error.faults)
    page = render_template(
        template, **({"typed": typed(), "errors": errors, "message": error.message} | facts)
    )
    return make_response(page, int(status_of(error)))


def form_page(
    template: str, facts: Callable[[], Mapping[str, Any]] = dict
) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Show `template` again when the view raises Faulty; `facts` gives what else it needs."""

    def wrap(view: Callable[P, Response]) -> Callable[P, Response]:
        @functools.wraps(view)
        def shown(*args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                return view(*args, **kwargs)
            except Faulty as error:
                return refill(template, error, **facts())

        return shown

    return wrap
