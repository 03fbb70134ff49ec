"""Every module that binds background functions; importing this one binds them all."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

import marketplace

SLICE_MODULES = tuple(
    f"marketplace.{found.name}.background"
    for found in pkgutil.iter_modules(marketplace.__path__)
    if found.ispkg
)


def bind_all() -> None:
    """Import each slice's `background`, the kernel's mail, and the worker's own housekeeping."""
    for name in ("marketplace.mail", "marketplace.worker.housekeeping", *SLICE_MODULES):
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
