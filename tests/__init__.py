"""Tests of everything; this is imported before any of them, and so before NumPy.

Two processes of tests share two cores. Linear algebra on as many threads as there are cores makes
them wait for each other at every step: fits of a tenth of a second took three.
"""

import os

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")
