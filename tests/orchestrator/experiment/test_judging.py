from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.experiment import judging, manifest, reading, terminal
from orchestrator.experiment.lines import Case
from orchestrator.experiment.result import Result
from orchestrator.report.summary import PARTS
from stepbench.errors import UsageError
from tests.orchestrator.experiment.plans import (
    make_end,
    make_event,
    make_experiment,
    write_experiment,
    write_manifest,
    write_run,
)

FOLDER = Path("experiment-x")


def judged() -> Result:
    return judging.judged(reading.read(FOLDER))


def shown(result: Result) -> str:
    stream = io.StringIO()
    terminal.show(result, stream)
    return " ".join(stream.getvalue().split())


def test_the_answer_says_first_what_is_fastest_and_by_how_much() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 400, "csv": 2000})

    result = judged()

    assert re.fullmatch(r"Fastest is arrow: (39\d|40\d) ms a step\.", result.answer[0])
    assert re.fullmatch(r"arrow is 2\.[45]\d times faster than json \(.* times to .* times\)\.", result.answer[1])
    assert result.answer[2] == "Slower than json: csv."
    assert [(case.name, case.rank.best, case.rank.worst) for case in result.cases] == [
        ("arrow", 1, 1),
        ("json", 2, 2),
        ("csv", 3, 3),
    ]
    assert [case.on_front for case in result.cases] == [True, False, False]


def test_what_hands_bytes_on_is_a_floor_and_wins_nothing() -> None:
    write_experiment(FOLDER, {"json": 1000, "raw": 100, "arrow": 400})

    result = judged()

    assert result.answer[0].startswith("Fastest that carries records is arrow: ")
    assert re.fullmatch(r"raw \(\d+ ms a step\) hands bytes on and decodes nothing: a floor.*", result.answer[1])
    assert result.answer[1].endswith(" of its size, not a choice for records.")
    assert result.answer[2].startswith("arrow is 2.")
    assert [(case.name, case.is_floor, case.rank.best, case.rank.worst, case.on_front) for case in result.cases] == [
        ("arrow", False, 1, 1, True),
        ("json", False, 2, 2, False),
        ("raw", True, None, None, False),
    ]
    assert "floor raw" in shown(result)
    assert "in 1,000 steps." in shown(result)
    assert "raw hands bytes on and decodes nothing: a floor" in shown(result).partition("rank case")[2]


def test_where_all_cases_hand_bytes_on_the_fastest_of_them_wins() -> None:
    cases = tuple(Case(name=name, settings={"S3_CLIENT": name}) for name in ("boto3", "crt"))
    write_experiment(FOLDER, {"boto3": 1000, "crt": 500}, cases=cases, settings={"SERIALIZER": "raw"})

    assert judged().answer[0].startswith("Fastest is crt: ")
    assert "floor" not in shown(judged())


def test_what_is_faster_than_the_baseline_is_told_also_where_the_fastest_of_all_is_not() -> None:
    write_experiment(FOLDER, {"json": 1000, "a": 500, "b": 510, "c": 2000})

    answer = judged().answer

    assert any(re.fullmatch("Faster than json, too: [ab]\\.", sentence) for sentence in answer)
    assert answer[-1] == "Slower than json: c."


def test_where_no_winner_is_shown_those_that_are_shown_faster_than_the_baseline_are_named() -> None:
    # 15 comparisons with the baseline show what 120 of all with all, in a few rounds, do not.
    write_experiment(FOLDER, {"json": 1000, **{f"case {n}": 960 for n in range(15)}}, repeats=4)

    first, *more = judged().answer

    assert {case.rank.best for case in judged().cases} == {1}
    assert re.match(
        r"Faster than the baseline: case \d+.*\. Which is fastest is not shown; the lowest median is", first
    )
    assert not any("too: " in sentence for sentence in more)


def test_memory_of_executors_that_did_several_cases_is_no_column_of_any() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 400}, 3)
    assert [case.peak_rss_bytes for case in judged().cases] == [None, None]
    assert "Memory is not shown: the cases shared executors" in shown(judged())


def test_memory_of_executors_of_its_own_is_shown() -> None:
    write_experiment(FOLDER, {"json": 1000}, 3)
    assert [case.peak_rss_bytes for case in judged().cases] == [300_000_000]
    assert "Memory is not shown" not in shown(judged())


def test_what_cannot_be_told_apart_is_told_as_that() -> None:
    write_experiment(FOLDER, {"json": 1000, "again": 1000})

    result = judged()

    assert result.answer[0].startswith("No case is shown to be faster than another")
    assert "no difference seen" in result.answer[1]
    assert {(case.rank.best, case.rank.worst) for case in result.cases} == {(1, 2)}


def test_a_case_that_always_failed_has_no_figure_and_is_told() -> None:
    write_experiment(FOLDER, {"json": 1000, "broken": 0})

    result = judged()

    assert [case.name for case in result.cases] == ["json", "broken"]
    assert result.warnings[0] == "broken was left out after 2 failures in a row: it did not want to"
    assert "failed broken" in shown(result)


def test_where_all_failed_that_is_the_answer() -> None:
    write_experiment(FOLDER, {"json": 0, "broken": 0})

    assert judged().answer == ("No case has a figure: all of their runs failed, or none has ended.",)
    assert "No case has a figure" in shown(judged())


def test_without_a_figure_of_the_baseline_nothing_is_compared_with_it() -> None:
    write_experiment(FOLDER, {"json": 0, "arrow": 500})

    assert judged().answer[1] == "The baseline json has no figure, so nothing is compared with it."


def test_one_round_has_medians_and_no_verdict() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 500}, repeats=1)

    result = judged()

    assert "cannot tell, 1 round cannot tell how sure this is" in result.answer[1]
    assert all(case.step_ns.median for case in result.cases)


def test_an_experiment_that_goes_on_is_told_as_far_as_it_is() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 500}, repeats=4, finished=False)

    assert "4 of 4 rounds so far: not finished" in shown(judged())
    assert f"compare --resume {FOLDER}" in shown(judged())


def test_a_plan_without_any_run_is_an_experiment_with_nothing_to_say() -> None:
    write_manifest(FOLDER, make_experiment("a", "b"))

    assert judged().answer[0].startswith("No case has a figure")


@pytest.mark.parametrize("ok", [True, False])
def test_where_only_warm_up_runs_have_ended_nothing_is_said_to_have_failed(ok: bool) -> None:
    write_manifest(FOLDER, make_experiment("a", "b"), make_end("a", 0, ok=ok), make_event("interrupted"))

    assert judged().answer[0].startswith("Only warm-up runs have ended so far" if ok else "No case has a figure")
    assert ("compare --resume goes on" in judged().answer[0]) is ok


def test_warm_up_rounds_are_in_no_figure() -> None:
    write_experiment(FOLDER, {"json": 1000}, repeats=3)
    write_run(FOLDER, "20250102-000000-000000", 9000)  # that of round 0

    assert (judged().cases[0].step_ns.median or 0) < 1.1e9


def test_a_metrics_file_that_is_gone_or_damaged_costs_its_round_and_is_told() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 500})
    (FOLDER / "metrics-20250102-000003-000001.jsonl").unlink()
    (FOLDER / "metrics-20250102-000004-000000.jsonl").write_text("{}\n")

    result = judged()

    assert [case.rounds for case in result.cases] == [9, 9]
    assert result.warnings[0].startswith("Round 3 of arrow has no figures: cannot read")
    assert result.warnings[1].startswith("Round 4 of json has no figures:")


def test_the_result_is_json_without_a_number_that_is_none() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 500, "broken": 0}, repeats=2)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(judged().model_dump_json(), parse_constant=refuse)


@pytest.mark.parametrize("make", [lambda: None, FOLDER.mkdir, lambda: FOLDER.write_text("")])
def test_what_is_no_experiment_is_a_sentence(make: object) -> None:
    assert callable(make)
    make()

    with pytest.raises(UsageError) as caught:
        reading.read(FOLDER)

    assert len(caught.value.problems) == 1


def test_a_folder_of_metrics_files_alone_is_a_sentence() -> None:
    FOLDER.mkdir()
    write_run(FOLDER, "20250102-000000-000000", 1000)

    with pytest.raises(UsageError, match=r"experiment-x holds no experiment\.jsonl"):
        reading.read(FOLDER)


def test_runs_are_read_in_their_order_with_their_files() -> None:
    write_experiment(FOLDER, {"json": 1000, "broken": 0}, repeats=1)

    experiment = reading.read(FOLDER)

    assert [(run.end.round, run.end.case, run.file is not None) for run in experiment.runs] == [
        (0, "json", True),
        (0, "broken", False),
        (1, "json", True),
        (1, "broken", False),
    ]
    assert [file.run.run_id for file in experiment.files("json")] == ["20250102-000001-000000"]


def test_why_it_ended_early_is_told() -> None:
    plan = write_experiment(FOLDER, {"json": 1000}, repeats=3)
    ends = [make_end("json", number, run_id=f"20250102-{number:06}-000000") for number in range(4)]
    write_manifest(FOLDER, plan, *ends, make_event("stable", message="all is known"), make_event("finished"))

    assert judged().ended_by == "all is known"


def test_each_part_is_told_with_its_verdict_against_the_baselines() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 900})

    arrow, json_case = judged().cases

    assert json_case.parts["download"].against_baseline is None
    assert arrow.parts["download"].median_ns == json_case.parts["download"].median_ns
    download, transit = (arrow.parts[name].against_baseline for name in ("download", "transit"))
    assert download is not None
    assert transit is not None
    assert (download.verdict, transit.verdict) == ("no difference seen", "less")
    assert set(arrow.parts) == set(json_case.parts) < set(PARTS), "small ones are not told"


def test_a_part_that_shrank_to_next_to_nothing_is_told_as_well() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 816})  # of which all but the transit takes 815 ms

    arrow = next(case for case in judged().cases if case.name == "arrow")

    assert arrow.step_ns.median is not None
    assert arrow.parts["transit"].median_ns < arrow.step_ns.median / 100
    found = arrow.parts["transit"].against_baseline
    assert found is not None
    assert found.verdict == "less"


def test_what_all_rounds_could_not_show_is_told() -> None:
    write_experiment(FOLDER, {"json": 1000, "arrow": 1000}, to_see=0.001)
    (told,) = [warning for warning in judged().warnings if "not enough to see" in warning]
    assert told.startswith("The rounds were not enough to see a difference of 0.1% everywhere: ")
    assert " would be seen in the step of arrow. Try" in told

    write_experiment(FOLDER, {"json": 1000, "arrow": 1000}, to_see=0.1)
    assert not any("not enough to see" in warning for warning in judged().warnings)


def write_loaded(load_1min: float, settings: dict[str, object] | None = None, **changes: Any) -> None:
    """An experiment on a machine of two cores with this load."""
    write_experiment(FOLDER, {"json": 1000, "csv": 2000}, repeats=6, settings=settings or {}, **changes)
    path = FOLDER / manifest.NAME
    path.write_text(path.read_text().replace('"load_1min":1.0', f'"load_1min":{load_1min}'))


def test_other_work_of_the_machine_is_told_once_with_what_to_try() -> None:
    write_loaded(5.6)
    told = [warning for warning in judged().warnings if "a load average of 5.6 on 2 cores" in warning]
    assert len(told) == 1
    assert told[0].startswith("This machine had other work beside the runs")

    write_loaded(3.0)
    assert not any("load average" in warning for warning in judged().warnings), "two cores, and the run's own step"

    write_loaded(3.5, {"CONCURRENCY": 8, "EXECUTORS": 4})
    assert not any("load average" in warning for warning in judged().warnings), "the runs themselves use four"


@pytest.mark.parametrize(("channel", "is_told"), [("sqs", False), ("direct", True)])
def test_on_aws_the_load_counts_where_this_machine_does_the_steps(channel: str, is_told: bool) -> None:
    write_loaded(5.6, {"CHANNEL": channel, "ORCH_BUCKET": "payloads"}, environment="aws")

    assert any("load average" in warning for warning in judged().warnings) is is_told
