"""One whole run under faults, and what must hold of it whatever they were."""

from __future__ import annotations

import traceback
from collections import Counter
from itertools import product

import pytest

from orchestrator.run.plan import METRICS_FOLDER, metrics_key
from tests.chaos.faults.bench import Bench
from tests.chaos.faults.catalogue import HARMLESS, Fault, Round, of_seed
from tests.chaos.figures import Figures, PromiseBroken
from tests.runs.programs import Outcome

Met = Counter[tuple[str, Fault]]
_OF_MESSAGES = ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")


def play(bench: Bench, seed: int) -> tuple[Figures, Met]:
    """The figures of the seed's round, and the faults that its calls met."""
    return play_round(bench, of_seed(seed))


def play_round(bench: Bench, round_: Round) -> tuple[Figures, Met]:
    figures = Figures()
    bench.between.begin(None)
    bench.ready()
    bench.between.begin(round_)
    try:
        _play(bench, round_, figures)
    except (Exception, pytest.fail.Exception, SystemExit) as error:  # noqa: BLE001 # told with the seed that repeats it
        again = f"seed {round_.seed}: {round_}: {_words(error)}\n"
        again += f"again: python -m tests.chaos faults --rounds 1 --seed {round_.seed}"
        figures.failed(_harm(error), again)
    met, _ = bench.between.met()
    figures.tried["runs"] += 1
    figures.tried["faults"] += met.total()
    return figures, met


def _harm(error: BaseException) -> Exception:
    """A deadline of the fleet's is a hang."""
    return error if isinstance(error, Exception) else PromiseBroken("hangs", str(error))


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, PromiseBroken) else "".join(traceback.format_exception(error))


def _play(bench: Bench, round_: Round, figures: Figures) -> None:
    outcome = bench.run(round_.recipe)
    met, keys = bench.between.met()
    figures.tried[f"runs that ended with {outcome.exit_code}"] += 1
    _judge_words(bench, outcome)
    _judge_samples(round_, outcome)
    _judge_end(round_, outcome)
    if outcome.exit_code == 3 and _can_be_resumed(outcome):
        outcome = _resumed(bench, round_, figures)
    if outcome.exit_code == 0:
        _judge_telling(outcome, met, keys)
        _judge_cleaning(bench, outcome)
        if round_.recipe.sync_seconds:
            _judge_copy(bench, outcome)
    for breach in bench.witness.breaches():
        raise breach
    figures.tried["samples"] += len(outcome.samples)
    figures.tried["failed attempts"] += len(outcome.failures)
    figures.tried["duplicates"] += len(outcome.events("duplicate"))


def _judge_words(bench: Bench, outcome: Outcome) -> None:
    if outcome.exit_code not in (0, 1, 3):
        raise broken(f"the run ended with {outcome.exit_code}: {outcome.stderr}")
    if outcome.exit_code == 3 and not outcome.stderr.strip():
        raise broken("the run was refused without a word")
    said = bench.worker_said()
    for who, words in (("orchestrator", outcome.stderr), ("worker", said)):
        if "Traceback" in words or '"exception"' in words:
            raise broken(f"the {who} said:\n{words}")
    if not bench.worker_lives():
        raise broken(f"the worker ended:\n{said}")


def _judge_end(round_: Round, outcome: Outcome) -> None:
    """Faults that pass, and fewer than there are attempts, are got over, but where there is no other attempt."""
    if outcome.exit_code == 3 and not any(planned.may_end_the_run for planned in round_.planned):
        raise broken(f"the run was refused: {outcome.stderr}")
    if outcome.exit_code == 1 and not any(planned.may_fail_a_chain for planned in round_.planned):
        raise broken(f"a chain failed: {outcome.failures}")
    if outcome.exit_code == 1 and not outcome.failures:
        raise broken("a chain failed and no line tells why")
    if lost := outcome.events("lost"):
        raise PromiseBroken("samples lost", f"given up as lost, and SQS had lost nothing: {lost}")


def _judge_samples(round_: Round, outcome: Outcome) -> None:
    found = Counter((sample["chain"], sample["step"]) for sample in outcome.samples)
    if twice := [step for step, count in found.items() if count > 1]:
        raise PromiseBroken("samples counted twice", f"{twice}")
    ended = {event["chain"] for event in outcome.events("chain_finished") if event["ok"]}
    wanted = range(1, round_.recipe.chains + 1) if outcome.exit_code == 0 else ended
    if missing := set(product(wanted, range(1, round_.recipe.steps + 1))) - set(found):
        raise PromiseBroken("samples lost", f"{sorted(missing)} of {outcome.exit_code}")


def _can_be_resumed(outcome: Outcome) -> bool:
    return bool(outcome.events("first_payload")) and not outcome.of_kind("summary")


def _resumed(bench: Bench, round_: Round, figures: Figures) -> Outcome:
    """With the faults gone: whatever ended the run has lost nothing."""
    bench.between.begin(None)
    file = max(bench.fleet.folder.glob("run-*/out/metrics-*.jsonl"), key=lambda found: found.stat().st_mtime_ns)
    run_id = file.stem.removeprefix("metrics-")
    outcome = bench.resume(round_.recipe, file.parent.parent, run_id)
    figures.tried["runs that were resumed"] += 1
    _judge_words(bench, outcome)
    if outcome.exit_code != 0:
        raise broken(f"resume ended with {outcome.exit_code}: {outcome.stderr}")
    _judge_samples(round_, outcome)
    return outcome


def _judge_telling(outcome: Outcome, met: Met, keys: set[str]) -> None:
    """The summary has every failure, and a step that met a fault at S3 has a retry or a failure to show for it."""
    if outcome.summary["counts"]["failures"] != len(outcome.failures):
        raise broken(f"the summary tells of {outcome.summary['counts']['failures']} failures")
    if any(call.startswith(_OF_MESSAGES) for call, _ in met):
        return  # which executes steps twice, and the one that met a fault need not be the one that counts
    of_steps = [key for key in keys if f"/{outcome.plan['run_id']}/payloads/chain" in key]
    faults = [fault for call, fault in met if call in ("GetObject", "PutObject") and fault not in HARMLESS]
    retries = sum(sample["s3"][way]["retries"] or 0 for sample in outcome.samples for way in ("get", "put"))
    if faults and of_steps and not retries + len(outcome.failures):
        raise broken(f"nothing tells of {faults} at {of_steps}")


def _judge_cleaning(bench: Bench, outcome: Outcome) -> None:
    """What a run says that it has removed is gone. What a late duplicate wrote is no longer its own."""
    if any(place["objects"] for place in outcome.summary["left_in_s3"]):
        return
    written = {sample["output_uri"].split("/", 3)[3] for sample in outcome.samples}
    if still := written & set(bench.fleet.keys(outcome.plan["prefix"])):
        raise broken(f"{sorted(still)} is still there after the run has removed its payloads")


def _judge_copy(bench: Bench, outcome: Outcome) -> None:
    """Of a run that ended well there is the whole file, and neither parts nor a lease."""
    run_id = outcome.plan["run_id"]
    (file,) = bench.fleet.folder.glob(f"run-*/out/metrics-{run_id}.jsonl")
    key = metrics_key(outcome.plan["prefix"], run_id)
    if (kept := bench.fleet.keys(outcome.plan["prefix"] + METRICS_FOLDER)) != [key]:
        raise broken(f"{kept} are left of the copy")
    if bench.fleet.clients.s3.get_object(Bucket=bench.fleet.bucket, Key=key)["Body"].read() != file.read_bytes():
        raise PromiseBroken("samples lost", "the copy is not the metrics file")


def broken(sentence: str) -> PromiseBroken:
    return PromiseBroken("other promises broken", sentence)
