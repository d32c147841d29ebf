from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.experiment import manifest, manifest_file
from orchestrator.experiment.manifest_file import ManifestFile
from stepbench.errors import UsageError
from tests.orchestrator.experiment.plans import make_end, make_event, make_experiment, write_manifest

PLAN = make_experiment("a", "b")
LINES = (make_end("a", 0), make_end("b", 0, ok=False), make_event("interrupted"))


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    found = manifest.read(write_manifest(tmp_path, PLAN, *LINES))

    assert (found.plan, found.lines) == (PLAN, LINES)
    assert not found.torn_line
    assert not found.finished


@given(st.data())
def test_a_file_that_is_cut_anywhere_behind_its_first_line_is_read_up_to_its_last_whole_line(
    data: st.DataObject,
) -> None:
    path = write_manifest(Path("cut"), PLAN, *LINES)
    whole = path.read_bytes()
    length = data.draw(st.integers(whole.index(b"\n") + 1, len(whole)))
    path.write_bytes(whole[:length])

    found = manifest.read(path)

    assert found.whole_bytes == whole[:length].rindex(b"\n") + 1
    assert found.lines == LINES[: whole[:length].count(b"\n") - 1]
    assert found.torn_line == (found.whole_bytes != length)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not begin with the plan of an experiment"),
        ('{"kind":"exp', "does not begin with the plan of an experiment"),
        (f"{LINES[0].model_dump_json()}\n", "does not begin with the plan of an experiment"),
        (f"{PLAN.model_dump_json()}\n{{}}\n", "line 2 is damaged"),
        (f"{PLAN.model_dump_json()}\n{make_end('c', 1).model_dump_json()}\n", "line 2 is of the case 'c'"),
        (f"{PLAN.model_dump_json()}\n" * 2, "line 2 is a second plan"),
        (PLAN.model_copy(update={"baseline": "c"}).model_dump_json() + "\n", "line 1 is damaged"),
    ],
)
def test_damage_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / manifest.NAME
    path.write_text(text)

    with pytest.raises(UsageError) as caught:
        manifest.read(path)

    assert told in str(caught.value)


def test_lines_of_a_newer_version_are_counted_and_left_out(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, PLAN, *LINES)
    with path.open("a") as file:
        file.write('{"kind":"tomorrow"}\n{"kind":"event","event":"tomorrow","at":"now"}\n')

    found = manifest.read(path)

    assert (found.lines, found.unknown_lines) == (LINES, 2)


def test_two_processes_do_not_write_one_experiment(tmp_path: Path) -> None:
    first = manifest_file.begin(tmp_path / "experiment", PLAN)

    with pytest.raises(UsageError, match="is being written by another process: its experiment is still going on"):
        ManifestFile(first.path, again=True)

    first.close()
    ManifestFile(first.path, again=True).close()
