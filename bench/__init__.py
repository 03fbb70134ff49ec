"""Benchmarks, each one a command: `python -m bench.NAME`, or `make bench NAME=…`."""
