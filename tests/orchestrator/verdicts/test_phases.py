from __future__ import annotations

from orchestrator.verdicts.comparison import paired
from orchestrator.verdicts.phases import by_phase
from orchestrator.verdicts.two_runs import two_experiments, two_runs
from tests.orchestrator.verdicts.given import noisy, times

PHASES = ("download", "deserialize", "serialize", "upload")
BASELINE = {name: noisy(1e7, seed=seed) for seed, name in enumerate(PHASES)}
CASE = {name: noisy(1e7, seed=seed) for seed, name in enumerate(PHASES, 10)}


def test_the_phase_that_is_slower_is_the_one_that_is_called() -> None:
    slower = CASE | {"serialize": times(CASE["serialize"], 1.2)}
    for compare in (paired, two_experiments):
        verdicts = {name: each.verdict for name, each in by_phase(compare, slower, BASELINE).items()}
        assert verdicts == dict.fromkeys(PHASES, "no difference seen") | {"serialize": "more"}


def test_steps_of_two_plain_runs_do_as_well() -> None:
    steps = {name: [*noisy(1e7, 60, seed=1).values()] for name in PHASES}
    found = by_phase(two_runs, steps | {"upload": [2e7] * 60}, steps)
    assert [name for name, each in found.items() if each.verdict == "more"] == ["upload"]


def test_phases_are_one_family() -> None:
    alone = paired(CASE["upload"], BASELINE["upload"]).p
    together = by_phase(paired, CASE, BASELINE)["upload"].p
    assert (together or 0) > (alone or 1)


def test_a_phase_that_only_one_has_cannot_be_told() -> None:
    found = by_phase(paired, CASE | {"queue_wait": noisy(1e6)}, BASELINE | {"redelivery": noisy(1e6)})
    assert found["queue_wait"].reason == "only the case has it"
    assert found["redelivery"].reason == "only the baseline has it"
