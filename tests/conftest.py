"""What holds for all tests."""

from __future__ import annotations

import functools
import gc
import os
import re
import sys

import pytest
import starlette.routing
from hypothesis import HealthCheck, settings

# A busy machine is slow, which proves nothing.
_untimed = settings(
    deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
# The same code is given the same examples, so that a change is refused for what it changed alone.
settings.register_profile("repeatable", _untimed, derandomize=True)
# New ones at each run, by `make test-long` and `make fuzz`.
settings.register_profile("random", _untimed, derandomize=False)
settings.load_profile("repeatable")

# What follows saves processor time, of which these took a third.

# Modules are compiled once, not in each of the many processes that tests start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# httpx asks by an import whether trio runs, at each call within the process; what is not installed
# is looked for in all folders each time.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

# Every world has the same several hundred routes.
starlette.routing.compile_path = functools.cache(starlette.routing.compile_path)

# Many short-lived objects, and few cycles.
gc.set_threshold(20_000, 10, 50)


# Those run through the code that other tests measure, again and again or beside much other code,
# and the trace that coverage needs doubles the time of all of it.
_UNMEASURED = (
    "tests/contract/",
    "tests/property/",
    "tests/security/",
    "tests/unit/ops/test_reconcile_run.py::test_memory_does_not_grow_with_the_number_of_payments",
    "tests/unit/repository/",
    "tests/upgrade/",
)
_AT_EVERY_CALL = re.compile(
    r"_any_call|_anywhere|_cut_off|_crash|_killed|whatever_fails|test_operations_in_trouble"
)
"""So are these named, which do the same once for each call that may fail."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.nodeid.startswith(_UNMEASURED) or _AT_EVERY_CALL.search(item.nodeid):
        item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """What is there now stays until the end, and need not be looked at again."""
    gc.collect()
    gc.freeze()
