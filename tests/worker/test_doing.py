from __future__ import annotations

from stepbench.messages import answered
from stepbench.probes import MOST_RUNS_NAMED, ProbeAnswer, WorkerState
from tests.factories import make_done, make_held, make_message
from worker.doing import Doing
from worker.held import HeldSteps

ANSWER = ProbeAnswer(version="1", python="3.11", platform="Linux", cores=2, memory_bytes=10**9)


def test_a_worker_tells_what_it_holds_and_works_on_and_leaves_out_probes() -> None:
    held, now = HeldSteps(), 100.0
    doing = Doing(4, held, lambda: now)
    doing.begin()
    now = 103.5
    probe = make_held("probe", step_kind="probe", run="doctor")
    steps = [make_held(f"r{number}", run=f"run-{number % 2}") for number in range(3)]
    for step in (*steps, probe):
        held.add(step)

    with doing.at_work(0, steps[0].message), doing.at_work(1, probe.message):
        during = doing.state()
    after = doing.state()

    assert during == WorkerState(executors=4, busy_executors=1, held_steps=3, runs=("run-0", "run-1"), up_seconds=3.5)
    assert after.busy_executors == 0


def test_a_worker_of_many_runs_names_some_of_them() -> None:
    held = HeldSteps()
    for number in range(20):
        held.add(make_held(f"r{number}", run=f"run-{number}"))
    assert len(Doing(1, held).state().runs) == MOST_RUNS_NAMED


def test_only_an_answer_is_given_the_workers_part() -> None:
    doing = Doing(3, HeldSteps())
    done = make_done()
    assert doing.told_in(done) is done
    told = doing.told_in(answered(make_message(step_kind="probe"), ANSWER)).answer
    assert told is not None
    assert told.state is not None
    assert told.state.executors == 3
