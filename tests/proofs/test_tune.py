"""The tuning study can tell: a planted slow peer is slower, and a peer against itself is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from harness.host import settings
from harness.measure.tune import effects as on
from harness.measure.tune import rig
from harness.measure.tune.effects import UNSURE, effects
from harness.measure.tune.factors import LOCK_STEP, PLACEBOS, SAME, Factor, Setting
from harness.measure.tune.rig import QUICK, Side
from harness.measure.tune.study import Result, interleaved
from harness.peers import manifest
from harness.peers.pool import Pool
from harness.places.local import LocalPlace
from harness.plugin import ROOT
from tests.proofs.tables import FAULTY

SLOW = "slow=200"
"""µs that the planted peer spends in vain before each message: it pings, so every round trip holds it once or twice."""

BLOCKS = 12

NOTHING = PLACEBOS[SAME]
FACTOR = Factor("planted", 0, "a peer with a fault", NOTHING.default, NOTHING.changed, probes=(LOCK_STEP,))


@pytest.fixture
def peers() -> Iterator[Pool]:
    honest = manifest.find(ROOT / "peers")["pyzmq"]
    manifests = {"pyzmq": honest, FAULTY: honest.with_arguments(FAULTY, "--fault", SLOW)}
    pool = Pool(manifests, LocalPlace(), ROOT / ".build" / "peers")
    yield pool
    pool.close()


def measured(pool: Pool, changed: str, placebo: Result | None = None) -> Result:
    result = Result("pyzmq", FACTOR)
    interleaved(partial(pool.start, "pyzmq"), partial(pool.start, changed), BLOCKS, QUICK, result)
    result.effects = effects(result.default, result.changed, placebo.effects if placebo else None)
    return result


@pytest.mark.measured
def test_a_slow_peer_is_slower_and_a_peer_against_itself_cannot_be_told(peers: Pool) -> None:
    placebo = measured(peers, "pyzmq")
    same = measured(peers, "pyzmq", placebo)
    slow = measured(peers, FAULTY, placebo)
    told = {name: str(effect) for name, effect in slow.effects.items()}
    assert {name: effect.says for name, effect in same.effects.items()} == dict.fromkeys(same.effects, UNSURE)
    assert slow.effects[on.LOCK_P50].says == "slower", told


def test_a_setting_of_the_machine_holds_while_its_side_is_measured_and_no_longer(
    peers: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    @contextmanager
    def changed(name: str) -> Iterator[None]:
        seen.append(f"set {name}")
        yield
        seen.append("put back")

    def probe(pairs: object, load: object, setting: Setting) -> dict[str, float]:
        seen.append(f"measured {setting.machine}".strip())
        return {on.LOCK_P50: 1.0}

    monkeypatch.setattr(settings, "changed", changed)
    monkeypatch.setitem(rig._PROBES, LOCK_STEP, probe)
    factor = Factor("plan", 0, "a plan", Setting(), Setting(machine=settings.POWER), probes=(LOCK_STEP,))
    start = partial(peers.start, "pyzmq")
    rig.block([Side(start, factor.default), Side(start, factor.changed)], factor, QUICK)
    assert seen == ["measured", "set power-plan", "measured power-plan", "put back"]
