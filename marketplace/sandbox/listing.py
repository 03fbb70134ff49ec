"""Lists in Stripe's form, with cursors and filters, and `expand[]`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from psycopg import sql

from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.params import Params
from marketplace.sandbox.store import Body, Row, Tx, public

LIMIT_MAX = 100
LIMIT_DEFAULT = 10
EXPAND_DEPTH_MAX = 4
_BOUNDS = {"gt": sql.SQL(">"), "gte": sql.SQL(">="), "lt": sql.SQL("<"), "lte": sql.SQL("<=")}
_TABLE_OF = {"txn": "sandbox_balance_transactions", "evt": "sandbox_events"}


def show(row: Row) -> Body:
    """An object's row as the API shows it."""
    return public(row["body"])


@dataclass
class Query:
    """What to list: a table with its conditions and their values."""

    noun: str
    url: str
    table: str = "sandbox_objects"
    conditions: list[sql.SQL | sql.Composed] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    render: Callable[[Row], Body] = show

    def where(self, condition: sql.SQL | sql.Composed, *values: object) -> None:
        """One more condition that must hold."""
        self.conditions.append(condition)
        self.values.extend(values)

    def body_is(self, key: str, value: str | None) -> None:
        """The object's field equals a value; None does not filter."""
        if value is not None:
            self.where(sql.SQL("body->>{} = %s").format(sql.Literal(key)), value)

    def within(
        self,
        params: Params,
        name: str = "created",
        column: sql.Composable = sql.Identifier("created"),  # noqa: B008 - it never changes.
    ) -> None:
        """Read a time filter: an exact time, or any of gt, gte, lt, lte."""
        if not params.has(name):
            return
        if isinstance(params.peek(name), dict):
            bounds = params.nested(name)
            for bound, sign in _BOUNDS.items():
                limit = bounds.whole(bound)
                if limit is not None:
                    test = sql.SQL("{} {} %s").format(column, sign)
                    self.where(test, limit)
            return
        exact = params.whole(name)
        self.where(sql.SQL("{} = %s").format(column), exact)


def of_kind(kind: str, url: str) -> Query:
    """All objects of a kind of the acting account."""
    query = Query(noun=kind, url=url)
    query.where(sql.SQL("kind = %s"), kind)
    return query


def page(tx: Tx, query: Query, params: Params) -> Body:
    """One page, newest first, by `limit`, `starting_after` and `ending_before`."""
    limit = params.whole("limit") if params.has("limit") else LIMIT_DEFAULT
    if limit is None or not 1 <= limit <= LIMIT_MAX:
        raise ApiError(
            f"Invalid integer: limit must be from 1 to {LIMIT_MAX}",
            code="parameter_invalid_integer",
            param="limit",
        )
    after, before = params.text("starting_after"), params.text("ending_before")
    params.done()
    if after and before:
        raise ApiError(
            "You may only specify one of these parameters: starting_after, ending_before."
        )
    if after:
        query.where(sql.SQL("serial < %s"), _serial_of(tx, query, after, "starting_after"))
    if before:
        query.where(sql.SQL("serial > %s"), _serial_of(tx, query, before, "ending_before"))
    rows = _select(tx, query, limit + 1, ascending=before is not None)
    shown = rows[:limit]
    if before:
        shown.reverse()
    return {
        "object": "list",
        "url": query.url,
        "has_more": len(rows) > limit,
        "data": [query.render(row) for row in shown],
    }


def _select(tx: Tx, query: Query, limit: int, *, ascending: bool) -> list[Row]:
    statement = sql.SQL("SELECT * FROM {} WHERE {} ORDER BY serial {} LIMIT {}").format(
        sql.Identifier(query.table),
        sql.SQL(" AND ").join([sql.SQL("account = %s"), *query.conditions]),
        sql.SQL("ASC" if ascending else "DESC"),
        sql.Literal(limit),
    )
    return tx.rows(statement, [tx.account, *query.values])


def _serial_of(tx: Tx, query: Query, object_id: str, param: str) -> int:
    statement = sql.SQL("SELECT serial FROM {} WHERE id = %s AND account = %s").format(
        sql.Identifier(query.table)
    )
    rows = tx.rows(statement, (object_id, tx.account))
    if not rows:
        raise ApiError(f"No such {query.noun}: '{object_id}'", code="resource_missing", param=param)
    return int(rows[0]["serial"])


def expand(tx: Tx, body: Body, paths: Iterable[str]) -> Body:
    """Replace the ids at the given paths by their objects; `data.` goes into a list."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > EXPAND_DEPTH_MAX:
            raise ApiError(f"You can expand at most {EXPAND_DEPTH_MAX} levels.", param="expand")
        _expand_into(tx, body, parts, path)
    return body


def _expand_into(tx: Tx, body: Body, parts: list[str], path: str) -> None:
    head, rest = parts[0], parts[1:]
    if head not in body:
        raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
    if isinstance(body[head], str):
        found = _by_id(tx, body[head])
        if found is None:
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
        body[head] = found
    below = body[head]
    for item in below if isinstance(below, list) else [below]:
        if rest and isinstance(item, dict):
            _expand_into(tx, item, rest, path)


def _by_id(tx: Tx, object_id: str) -> Body | None:
    table = _TABLE_OF.get(object_id.partition("_")[0], "sandbox_objects")
    statement = sql.SQL("SELECT * FROM {} WHERE id = %s").format(sql.Identifier(table))
    rows = tx.rows(statement, (object_id,))
    if not rows:
        return None
    if table == "sandbox_balance_transactions":
        return balance_transaction(rows[0], tx.now)
    return show(rows[0])


def balance_transaction(row: Row, now: int) -> Body:
    """A balance transaction's row as the API shows it; pending until its `available_on`."""
    status = "available" if row["available_on"] <= now else "pending"
    return {**public(row["body"]), "status": status}
