"""Fragments: a block of a page, rendered alone for htmx."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, request


def asked_for(target: str) -> bool:
    """Whether htmx wants only the element with this id."""
    return request.headers.get("HX-Target") == target


def render_block(template: str, block: str, **facts: Any) -> str:
    """One block of a template with the page's context; filters and globals are the page's own."""
    current_app.update_template_context(facts)
    made = current_app.jinja_env.get_template(template)
    return "".join(made.blocks[block](made.new_context(facts)))


def page_or_block(template: str, block: str, *, target: str | None = None, **facts: Any) -> str:
    """The block when htmx asks for its element (by id; the block's name), else the page."""
    if asked_for(target or block):
        return render_block(template, block, **facts)
    return render_template(template, **facts)
