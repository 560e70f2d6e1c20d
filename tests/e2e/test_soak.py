"""The soak in short: each disturbance once, and nothing may come of any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from soak.plan import QUICK, SIGKILL, SIGTERM, UPGRADE, plan
from soak.result import Options
from soak.run import soak

SEEDS = (1,)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_disturbance_loses_or_doubles_anything(seed: int, tmp_path: Path) -> None:
    options = Options(seed=seed, pace=QUICK, shoppers=3, think_s=0.1, sample_s=1.0)

    result = await soak(options, tmp_path, lambda _: None)

    assert {rule: found for rule, found in result.verdict.items() if found} == {}
    # It was no idle run: everything has happened, to both instances and to real purchases.
    drawn = plan(seed, QUICK)
    wanted = {each.kind for each in (*drawn.backends, *drawn.instances)}
    assert {each.kind for each in result.happened} == wanted
    assert {SIGTERM, SIGKILL, UPGRADE} <= wanted
    assert sum(each.lives for each in result.watched) == 2 + 1 + 1 + 2
    assert all(each.requests for each in result.watched)
    assert any(each.moved for each in result.book.purchases)
    assert result.acknowledged > 0
    assert [len(each.found) for each in result.reconciled][-1] == 0
