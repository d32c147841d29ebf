from __future__ import annotations

import io

import pytest
from rich.cells import cell_len

from orchestrator.experiment.contrasts import Unseen
from orchestrator.experiment.figures import RunFigures
from orchestrator.experiment.schedule import Turn
from orchestrator.experiment.view import Lines, Quiet, State, view_on
from orchestrator.experiment.view_terminal import lines
from tests.orchestrator.experiment.plans import make_end, make_event, make_experiment, make_figures


def _figures(step_ms: float) -> RunFigures:
    return make_figures(step_ms * 1e6)


@pytest.fixture
def state() -> State:
    """After a warm-up round and a round of json and arrow: each run took 2 s."""
    state = State(make_experiment("json", "arrow"), clock=lambda: 0.0)
    turns = [Turn(number, case) for number in (0, 1) for case in ("json", "arrow")]
    for done, turn in enumerate(turns):
        state.begins(turn, left=8 - done)
        state.ended(make_end(turn.case, turn.round), _figures(84.1 if turn.case == "json" else 50.0))
    return state


def _drawn(state: State, width: int = 80, height: int = 24) -> list[str]:
    return [line.plain for line in lines(state, None, width, height, ascii_only=True)]


def test_what_is_known_is_of_measured_rounds_and_the_time_left_of_all(state: State) -> None:
    assert state.medians == [("arrow", 50e6, 1), ("json", 84.1e6, 1)]
    assert state.seconds_left == 8.0


def test_no_more_time_is_left_than_the_experiment_may_take(state: State) -> None:
    state.plan = state.plan.model_copy(update={"max_minutes": 13 / 60})
    assert state.seconds_left == 5.0  # of 13 s, four runs of 2 s have gone
    state.ended(make_end("json", 2), _figures(90.0))
    state.ended(make_end("arrow", 2), _figures(90.0))
    state.ended(make_end("json", 3), _figures(90.0))
    assert state.seconds_left == 0.0


def test_before_anything_has_ended_the_time_left_is_the_estimate() -> None:
    state = State(make_experiment("json"), estimated_seconds=3.0)
    state.begins(Turn(0, "json"), left=4)
    assert (state.seconds_left, state.medians) == (12.0, [])


def test_piped_there_is_a_line_for_each_run_that_has_ended(state: State) -> None:
    stream = io.StringIO()
    view = view_on(stream, False, state)
    view.begins(Turn(2, "json"), left=4)
    assert stream.getvalue() == ""
    view.ended(make_end("json", 2), _figures(90.0))
    view.begins(Turn(2, "arrow"), left=3)
    view.ended(make_end("arrow", 2, ok=False), None)
    view.said(make_event("left_out", case="arrow"))
    view.said(make_event("interrupted"))
    assert isinstance(view, Lines)
    assert stream.getvalue().splitlines() == [
        "round 2 of 3: json: 90.0 ms a step (median of 4 steps); 3 runs left, 6 s",
        "round 2 of 3: arrow: failed: it did not want to; 2 runs left, 4 s",
        "arrow failed again and is left out from here on",
    ]


def test_an_experiment_that_may_end_earlier_tells_what_is_left_at_most(state: State) -> None:
    state.plan = state.plan.model_copy(update={"to_see": 0.05, "repeats": 500})
    stream = io.StringIO()
    view = Lines(stream, state)
    view.begins(Turn(2, "json"), left=998)
    view.ended(make_end("json", 2), _figures(84.1))

    assert "round 2 of at most 500: json: 84.1 ms a step" in stream.getvalue()
    assert "; at most 997 runs left" in stream.getvalue()
    assert any(line.startswith("about ") and line.endswith(" left at most") for line in _drawn(state))


def test_what_the_rounds_do_not_show_yet_is_told_when_it_was_looked_for(state: State) -> None:
    state.plan = state.plan.model_copy(update={"to_see": 0.05})
    stream = io.StringIO()

    Lines(stream, state).looked(Unseen("upload", "arrow", 1.081))

    told = "after 1 round: 8.1% would be seen in the upload of arrow; 5% is asked for"
    assert stream.getvalue() == f"{told}\n"
    assert told in _drawn(state)


def test_quiet_shows_nothing(state: State) -> None:
    assert isinstance(view_on(io.StringIO(), True, state), Quiet)


def test_on_a_terminal_it_shows_how_far_it_is_and_the_medians_so_far(state: State) -> None:
    state.begins(Turn(2, "json"), left=4)
    bar, now, left, heading, *rows = _drawn(state)
    assert bar == "#" * 20 + "." * 20 + "  4 of 8 runs"
    assert now == "round 2 of 3: json, making its payload"
    assert left == "about 8 s left"
    assert heading.split() == ["so", "far", "median", "step", "rounds"]
    assert [row.split() for row in rows] == [["arrow", "50.00", "ms", "1"], ["json", "84.10", "ms", "1"]]


@pytest.mark.parametrize("width", [10, 20, 40, 200])
@pytest.mark.parametrize("height", [2, 6, 9, 30])
def test_whatever_the_terminal_it_is_not_left(state: State, width: int, height: int) -> None:
    for number in range(20):
        state.ended(make_end(f"case {number}", 1), _figures(60.0 + number))
    drawn = _drawn(state, width, height)
    assert max(map(cell_len, drawn)) <= width
    assert len(drawn) <= max(height, 3)
