from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.run.plan import new_run_id
from orchestrator.upkeep.shapes import KeyShape, Owned, begun, begun_or_none, run_of_queue
from stepbench import prefix

RUN = "20310203-040506-0a1b2c"
OTHER_RUN = "20310203-040506-ffffff"
TEMPLATES = [
    "orchestration-bench/runs/${DATE}/${RUN_ID}/",
    "runs/{run_id}",
    "runs",
    "runs${RUN_ID}",
    "a.b+c(d)*/{date}-{run_id}",
    "twice/{run_id}/{date}/{run_id}/x",
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_a_run_writes_is_known_as_its_own(template: str) -> None:
    folder = prefix.expand(template, RUN, "2031-02-03")
    shape = KeyShape(template)

    assert shape.folder(RUN) == folder
    assert shape.owner(f"{folder}payloads/first-x.json") == Owned(RUN, "payload")
    assert shape.owner(f"{folder}payloads/{OTHER_RUN}/payloads/x") == Owned(RUN, "payload")
    assert shape.owner(f"{folder}metrics/metrics-{RUN}.jsonl") == Owned(RUN, "metrics")
    assert folder.startswith(shape.literal)


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_else_is(template: str) -> None:
    folder = prefix.expand(template, RUN, "2031-02-03")
    shape = KeyShape(template)

    for key in (
        folder,
        f"{folder}payloads",
        f"{folder}payloads/",
        f"{folder}payloads2/x",
        f"{folder}Payloads/x",
        f"{folder}x/payloads/x",
        f"x{folder}payloads/x",
        f"/{folder}payloads/x",
        f"x/{folder}payloads/x",
        folder.replace(RUN, RUN + "0") + "payloads/x",
        folder.replace(RUN, RUN + "0") + folder + "payloads/x",
        folder.replace(RUN, RUN.upper()) + "payloads/x",
        folder.replace(RUN, RUN.replace("20310203", "20311303")) + "payloads/x",
        folder.replace(RUN, "r1") + "payloads/x",
        folder.replace("2031-02-03", "2031-02-04") + "payloads/x" if "2031-02-03" in folder else "x",
        folder.replace(RUN, "\N{ARABIC-INDIC DIGIT TWO}0310203-040506-0a1b2c") + "payloads/x",
    ):
        assert shape.owner(key) is None, key


def test_a_folder_that_names_two_runs_is_of_neither() -> None:
    shape = KeyShape("twice/{run_id}/{run_id}")

    assert shape.owner(f"twice/{RUN}/{RUN}/payloads/x") == Owned(RUN, "payload")
    assert shape.owner(f"twice/{RUN}/{OTHER_RUN}/payloads/x") is None


def test_a_dot_in_a_prefix_is_a_dot() -> None:
    assert KeyShape("a.b/{run_id}").owner(f"aXb/{RUN}/payloads/x") is None


def test_a_run_id_tells_when_the_run_was_begun() -> None:
    now = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)

    assert begun(new_run_id(now)) == now
    with pytest.raises(ValueError, match="is no run id"):
        begun("20310203")


@pytest.mark.parametrize(
    "text", ["", "r1", f"{RUN}\n", f" {RUN}", RUN.upper(), "20310230-040506-0a1b2c", "20310203-250506-0a1b2c"]
)
def test_what_only_looks_like_a_run_id_is_none(text: str) -> None:
    assert begun_or_none(text) is None


@pytest.mark.parametrize(
    ("name", "run"),
    [
        (f"results-{RUN}", RUN),
        (f"results-{RUN}-2", None),
        (f"results-2-{RUN}", None),
        (f"x-results-{RUN}", None),
        (f"Results-{RUN}", None),
        (f"results{RUN}", None),
        ("results-", None),
        ("results-steps", None),
    ],
)
def test_a_runs_own_results_queue_is_known_by_its_whole_name(name: str, run: str | None) -> None:
    assert run_of_queue(name, "results-") == run
