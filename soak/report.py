"""The result of a run as rows: for the terminal, and for a page in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct
from rich.table import Table

from soak.judge import MEGABYTE, recovery
from soak.plan import ROTATE
from soak.result import Result, Watched

_SHOWN = 20


class Rows(Struct, frozen=True):
    """A table for any output. The first column is a name, the others are numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def report(result: Result) -> list[Rows]:
    """All tables, the verdict first."""
    return [
        _verdict(result),
        _run(result),
        _traffic(result),
        _disturbances(result),
        _instances(result),
    ]


def tables(result: Result) -> list[Table]:
    return [_drawn(each) for each in report(result)]


def markdown(result: Result) -> str:
    """The same as a page."""
    lines = []
    for each in report(result):
        lines += [f"### {each.title}", "", _line(each.columns)]
        lines.append(_line(["---", *["---:" for _ in each.columns[1:]]]))
        lines += [*map(_line, each.rows), ""]
    return "\n".join(lines)


def _verdict(result: Result) -> Rows:
    rows = []
    for rule, found in result.verdict.items():
        rows.append([rule, str(len(found))])
        rows += [[f"  {each}", ""] for each in found[:_SHOWN]]
    return Rows("Verdict", ["rule", "violations"], rows)


def _run(result: Result) -> Rows:
    options, purchases = result.options, result.book.purchases
    before, (first, second) = len(result.differences_before), result.reconciled
    return Rows(
        "Run",
        ["what", "value"],
        [
            ["seed", str(options.seed)],
            ["machine", result.machine],
            ["began, UTC", f"{result.began:%Y-%m-%d %H:%M}"],
            ["seconds in total", f"{result.took_s:.0f}"],
            ["shoppers at a time", str(options.shoppers)],
            ["purchases", _count(len(purchases))],
            ["taken, minor units", _count(sum(each.captured for each in purchases))],
            ["paid back on request, minor units", _count(sum(each.refunded for each in purchases))],
            ["operations with a key", _count(sum(len(each.operations) for each in purchases))],
            ["requests", _count(sum(sum(each.values()) for each in _answers(result)))],
            ["of them repeated by their callers", _count(result.traffic.repeated)],
            ["requests cut by an instance that ended", _count(result.cuts)],
            ["events of Stripe's", _count(result.events)],
            ["acknowledged", _count(result.acknowledged)],
            ["lost in transit", _count(result.undelivered)],
            ["differences in money before reconcile", _count(before)],
            ["reconcile, first run: repaired", _kinds(first.found, first.repaired)],
            ["reconcile, second run: found", _count(sum(second.found.values()))],
        ],
    )


def _traffic(result: Result) -> Rows:
    rows = [[name, _count(number)] for name, number in sorted(result.book.scenarios.items())]
    for name, answers in sorted(result.traffic.answers.items()):
        shown = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
        rows.append([f"answers to {name}", shown])
    return Rows("Traffic", ["what", "how often"], rows)


def _disturbances(result: Result) -> Rows:
    recoveries: defaultdict[str, list[float | None]] = defaultdict(list)
    ready: defaultdict[str, list[float]] = defaultdict(list)
    for each in result.happened:
        concerned = result.merchant if each.kind == ROTATE else result.shopper
        recoveries[each.kind].append(recovery(concerned, each.ended))
        if each.ready_after is not None:
            ready[each.kind].append(each.ready_after)
    rows = []
    for kind, seconds in sorted(recoveries.items()):
        known = [each for each in seconds if each is not None]
        rows.append([kind, str(len(seconds)), _spread(known), _spread(ready[kind])])
    for burst in result.bursts:
        answers = ", ".join(f"{count:,} x {each}" for each, count in sorted(burst.statuses.items()))
        refused = (
            "-"
            if burst.refused_p50_s is None or burst.refused_p99_s is None
            else f"refused in {burst.refused_p50_s:.2f} / {burst.refused_p99_s:.2f} (p50 / p99)"
        )
        rows.append([f"{burst.callers:,} callers at once", "1", refused, answers])
    return Rows(
        "Disturbances",
        [
            "kind",
            "times",
            "s until requests work again, median / longest",
            "s until the instance is back; answers to a burst",
        ],
        rows,
    )


def _instances(result: Result) -> Rows:
    return Rows(
        "Instances",
        ["port", "lives", "requests", "MB at first / most / idle", "open files", "threads"],
        [_instance(each) for each in result.watched],
    )


def _instance(each: Watched) -> list[str]:
    held = [*each.samples, *([each.idle] if each.idle else [])]
    memory = [round(sample.rss_bytes / MEGABYTE) for sample in held]
    files = [sample.files for sample in held if sample.files is not None]
    threads = [sample.threads for sample in held if sample.threads is not None]
    return [
        str(each.port),
        str(each.lives),
        _count(each.requests),
        _course(memory),
        _course(files),
        _course(threads),
    ]


def _course(values: Sequence[int]) -> str:
    return f"{values[0]} / {max(values)} / {values[-1]}" if values else "-"


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f} / {max(seconds):.1f}" if seconds else "-"


def _kinds(found: dict[str, int], repaired: int) -> str:
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in found.items())
    return f"{repaired} ({kinds})" if kinds else str(repaired)


def _answers(result: Result) -> Iterable[dict[str, int]]:
    return result.traffic.answers.values()


def _count(number: int) -> str:
    return f"{number:,}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _drawn(rows: Rows) -> Table:
    table = Table(title=rows.title, title_justify="left")
    for number, name in enumerate(rows.columns):
        table.add_column(name, justify="right" if number else "left")
    for each in rows.rows:
        table.add_row(*each)
    return table
