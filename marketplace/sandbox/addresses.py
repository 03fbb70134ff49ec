"""Where the sandbox emulates what, and the application that its GitHub knows."""

from __future__ import annotations

NPPES = "/registry/nppes/api/"
MODEL = "/model/v1"
HOOKS = "/hooks"
MODEL_KEY_PREFIX = "sandbox-model-"
GITHUB = "/github"
GITHUB_API = "/github/api"
GITHUB_CLIENT_ID = "sandbox-application"
GITHUB_CLIENT_SECRET = "sandbox-application-secret"  # noqa: S105 - opens nothing but the sandbox.
