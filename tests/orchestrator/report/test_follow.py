from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.report.follow import SILENCE_SECONDS, Patience, follow
from orchestrator.report.metrics_file import MetricsFileDamaged
from tests.orchestrator.report.sample_factory import make_run

WRITER = """
import sys
for piece in sys.stdin.buffer.read().split(b"|"):
    with open(sys.argv[1], "ab") as stream:
        stream.write(piece)
"""


class Pieces:
    """Appends one more piece to a file whenever the follower has to wait."""

    def __init__(self, path: Path, pieces: list[bytes]) -> None:
        self._path = path
        self._left = list(pieces)

    def __call__(self) -> None:
        with self._path.open("ab") as stream:
            stream.write(self._left.pop(0))


def _never() -> None:
    raise AssertionError("waited although there was more to read")


def test_a_finished_file_is_read_to_its_summary_without_waiting(tmp_path: Path) -> None:
    run = make_run()
    followed = list(follow(run.write(tmp_path), _never))
    assert [text for text, _ in followed] == run.texts()
    assert [line for _, line in followed] == run.lines


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_lines_come_whole_however_the_file_grows(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    run = make_run(chains=1, steps=1)
    content = b"".join(run.texts())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=12)))
    pieces = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    path = tmp_path_factory.mktemp("out") / "metrics-r1.jsonl"

    assert [text for text, _ in follow(path, Pieces(path, pieces))] == run.texts()


def test_a_torn_line_that_a_resumed_run_cuts_off_is_never_seen(tmp_path: Path) -> None:
    run = make_run()
    *whole, last = run.texts()
    path = tmp_path / "metrics-r1.jsonl"
    path.write_bytes(b"".join(whole) + b'{"kind": "sample", "run_id"')

    def resume() -> None:
        path.write_bytes(b"".join(whole) + last)

    assert [text for text, _ in follow(path, resume)] == run.texts()


def test_a_line_of_tomorrow_comes_without_a_model(tmp_path: Path) -> None:
    run = make_run()
    texts = run.texts()
    texts.insert(2, b'{"kind": "weather"}\n')
    path = tmp_path / "metrics-r1.jsonl"
    path.write_bytes(b"".join(texts))
    assert list(follow(path, _never))[2] == (b'{"kind": "weather"}\n', None)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics-r1.jsonl"
    path.write_bytes(make_run().texts()[0] + b"oops\n")
    with pytest.raises(MetricsFileDamaged, match=r"metrics-r1\.jsonl line 2 is damaged"):
        list(follow(path, _never))


def test_what_another_process_appends_piece_by_piece_arrives_line_by_line(tmp_path: Path) -> None:
    run = make_run()
    content = b"".join(run.texts())
    path = tmp_path / "metrics-r1.jsonl"
    pieces = b"|".join(content[at : at + 100] for at in range(0, len(content), 100))
    seen: Queue[bytes] = Queue()
    never = threading.Event()

    def look_again_soon() -> None:
        never.wait(0.01)

    def watch() -> None:
        for text, _ in follow(path, look_again_soon):
            seen.put(text)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    subprocess.run([sys.executable, "-c", WRITER, str(path)], input=pieces, check=True)

    assert [seen.get(timeout=60) for _ in run.texts()] == run.texts()
    watcher.join(timeout=60)
    assert not watcher.is_alive()


def test_waiting_for_a_run_that_has_not_begun_is_told_once() -> None:
    patience = Patience("out/metrics-r1.jsonl", 0.0)
    assert "not there yet" in (patience.note(0.1, begun=False) or "")
    assert patience.note(1000.0, begun=False) is None


def test_a_long_silence_is_told_once_until_a_line_comes() -> None:
    patience = Patience("out/metrics-r1.jsonl", 0.0)
    assert patience.note(SILENCE_SECONDS - 1, begun=True) is None
    assert "nothing new" in (patience.note(SILENCE_SECONDS, begun=True) or "")
    assert patience.note(SILENCE_SECONDS * 9, begun=True) is None
    patience.heard(1000.0)
    assert patience.note(1001.0, begun=True) is None
    assert patience.note(1000.0 + SILENCE_SECONDS, begun=True) is not None
