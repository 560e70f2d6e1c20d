"""The alert rules with shorter times: each expression stays as it is but for its time constants.

A range (`[10m]`) and a `for:` are divided by FACTOR. Hours in which a daily run is missed, written
as `36 * 3600` seconds, are divided by DAILY, as no run waits a day and a half. What is compared
with a measured value, such as seconds of an answer or bytes, stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

FACTOR = 60
DAILY = 1_200
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_TIMES = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=for: )(\d+)([smhd])\b")
_DAYS = re.compile(r"\b(\d+) \* 3600\b")


def shortened(rules: str) -> str:
    """The text of a rules file in which minutes have become seconds."""
    return _replaced(rules, _time, lambda hours: str(int(hours[1]) * 3_600 // DAILY))


def without_times(rules: str) -> str:
    """The text of a rules file with a placeholder for each time constant."""
    return _replaced(rules, lambda _: "TIME", lambda _: "DAYS")


def _replaced(
    rules: str,
    time: Callable[[re.Match[str]], str],
    days: Callable[[re.Match[str]], str],
) -> str:
    return _DAYS.sub(days, _TIMES.sub(time, rules))


def _time(found: re.Match[str]) -> str:
    count, unit = filter(None, found.groups())
    return f"{int(count) * _SECONDS[unit] * 1_000 // FACTOR}ms"
