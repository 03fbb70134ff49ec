"""JSON bodies as they come in: what cannot be read or kept is refused before any view sees it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import Request
from webargs import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from marketplace.errors import Faulty
from marketplace.tasktypes import unstorable_places

FAULTS_SHOWN_MAX = 100


class BodyParser(FlaskParser):
    """Reads JSON strictly: RFC 8259 in UTF-8, with nothing in it that no row could hold."""

    def load_json(self, req: Request, schema: Any) -> Any:  # noqa: ARG002 - webargs asks so.
        """The body's value; `missing` without a body.

        Raises UnsupportedMediaType for a body that is not called JSON (its fields would count as
        left out), BadRequest for one that is not JSON, and Faulty with pointers for NUL, half
        characters, numbers beyond 64 bits and deep nesting.
        """
        body = req.get_data(cache=True)
        if not body.strip():
            return missing
        if not req.is_json:
            raise UnsupportedMediaType("Send the body as application/json.")
        value = _read(body)
        faults = list(unstorable_places(value))[:FAULTS_SHOWN_MAX]
        if faults:
            raise Faulty("Some of the input cannot be kept.", faults)
        return value


def _read(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as wrong:
        raise BadRequest(f"Byte {wrong.start + 1} of the body is not UTF-8.") from None
    except json.JSONDecodeError as wrong:
        place = f"line {wrong.lineno}, character {wrong.colno}"
        raise BadRequest(f"The body is not JSON: {wrong.msg} at {place}.") from None
    except RecursionError:
        raise BadRequest("The body is nested far too deep.") from None
    except ValueError:
        raise BadRequest("A number in the body has too many digits. Send it as text.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not JSON. Use null or leave it out.")
