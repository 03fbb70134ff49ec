"""Checking an export against the proof that it carries: offline, without an account.

Imports the standard library only, `cryptography` for signatures, and pyarrow where a file is
Parquet; nothing of the server, which takes the hashes from here (`seal`).
"""
