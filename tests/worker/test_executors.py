"""Real executor processes, with a server in S3's place that answers nothing, so that a step stays where it is."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stepbench.aws import AwsConfig
from stepbench.errors import EnvironmentRefused, ExecutorDied, StepTimeout
from stepbench.messages import Completion, StepMessage
from stepbench.s3_clients import TransferOptions
from tests.factories import BUCKET, make_message
from tests.processes import alive_in_group, wait_until
from worker.executors import ExecutorFactory, ExecutorProcess, start_all
from worker.handshake import ExecutorConfig

OPEN_FILES = Path("/dev/fd")


class SilentS3:
    """Refuses every connection until it is told to be silent; from then on it accepts them and says nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._silent = threading.Event()
        self._held: list[socket.socket] = []
        self.called = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def be_silent(self) -> None:
        self._silent.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._held:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._silent.is_set():
                self._held.append(connection)
                self.called.set()
            else:
                connection.close()


def run(executor: ExecutorProcess, message: StepMessage) -> Completion:
    assert executor.begin(message)
    return executor.finish(message)


@pytest.fixture
def s3() -> Iterator[SilentS3]:
    server = SilentS3()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def config(s3: SilentS3, **changes: Any) -> ExecutorConfig:
    values: dict[str, Any] = {
        "executor": "w1",
        "bucket": BUCKET,
        "connect_key": "connect",
        "aws": AwsConfig(region="us-east-1", endpoint_url=s3.url, max_attempts=1),
        "transfer": TransferOptions(part_bytes=8_000_000, part_concurrency=2),
        "log_level": "error",
        "log_format": "json",
    }
    return ExecutorConfig(**(values | changes))


@contextmanager
def running(s3: SilentS3) -> Iterator[ExecutorProcess]:
    [executor] = start_all(ExecutorFactory(config(s3)), 1)
    try:
        yield executor
    finally:
        executor.close()


@contextmanager
def in_the_midst(s3: SilentS3, act: Callable[[], None]) -> Iterator[None]:
    """Does `act` in a thread of its own once the step that runs inside has called the silent server."""

    def act_in_time() -> None:
        s3.called.wait(60)
        act()

    thread = threading.Thread(target=act_in_time)
    thread.start()
    yield
    thread.join()


def test_a_users_own_module_called_as_our_package_is_in_nobodys_way(
    s3: SilentS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("worker.py").write_text("raise RuntimeError('not ours')")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))

    with running(s3) as executor:
        assert is_running(executor)


def is_running(executor: ExecutorProcess) -> bool:
    return executor.pid in alive_in_group(os.getpgid(0))


def test_a_step_that_fails_is_an_answer_and_the_executor_runs_the_next(s3: SilentS3) -> None:
    with running(s3) as executor:
        completions = [run(executor, make_message(step=step)) for step in (1, 2)]

        assert [completion.step for completion in completions] == [1, 2]
        errors = [completion.error for completion in completions]
        assert all(error is not None and error.retryable and error.phase == "download" for error in errors)
        assert executor.steps_run == 2


def test_only_the_step_that_an_executor_has_is_disowned_there_and_the_next_one_is_wanted(s3: SilentS3) -> None:
    first, second = make_message(step=1), make_message(step=2)
    told = []
    with running(s3) as executor:
        for message, disowned in ((first, second), (first, first), (second, first)):
            executor.begin(message)
            executor.disown(disowned)
            told.append(executor._board.is_disowned())
            executor.finish(message)
    executor.disown(second)
    assert told == [False, True, False]


def test_a_step_beyond_its_timeout_tells_its_phase_and_ends_the_executor(s3: SilentS3) -> None:
    with running(s3) as executor:
        s3.be_silent()

        with pytest.raises(StepTimeout, match=r"STEP_TIMEOUT=0\.5 s") as timeout:
            run(executor, make_message(step_timeout_seconds=0.5))

        assert timeout.value.phase == "download"
        wait_until(lambda: not is_running(executor), "the executor has ended")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_an_executor_that_dies_in_a_step_is_told_with_its_phase_and_signal(
    number: signal.Signals, s3: SilentS3
) -> None:
    with running(s3) as executor:
        s3.be_silent()
        kill = partial(os.kill, executor.pid, number)

        with in_the_midst(s3, kill), pytest.raises(ExecutorDied, match=number.name) as death:
            run(executor, make_message())

        assert death.value.phase == "download"
        assert ("memory" in str(death.value)) is (number is signal.SIGKILL)


def test_kill_from_another_thread_ends_the_step_under_way(s3: SilentS3) -> None:
    with running(s3) as executor:
        s3.be_silent()

        with in_the_midst(s3, executor.kill), pytest.raises(ExecutorDied) as death:
            run(executor, make_message())

        assert death.value.phase == "download"


def test_an_executor_that_died_while_idle_takes_no_step_and_tells_how_it_died(s3: SilentS3) -> None:
    with running(s3) as executor:
        assert executor.lives()
        os.kill(executor.pid, signal.SIGKILL)
        wait_until(lambda: not executor.lives(), "the executor has ended")

        assert not executor.begin(make_message())
        assert "SIGKILL" in executor.death()


def test_after_a_step_it_is_in_no_phase(s3: SilentS3) -> None:
    with running(s3) as executor:
        assert not run(executor, make_message()).ok
        executor.kill()
        with pytest.raises(ExecutorDied) as death:
            executor.finish(make_message())

        assert death.value.phase is None


def test_an_executor_ends_by_itself_when_its_worker_closes_the_pipe(s3: SilentS3) -> None:
    with running(s3) as executor:
        assert executor._process.stdin is not None
        executor._process.stdin.close()
        assert executor._process.wait(60) == 0


def test_a_terminals_interrupt_does_not_end_an_executor(s3: SilentS3) -> None:
    with running(s3) as executor:
        os.kill(executor.pid, signal.SIGINT)

        assert not run(executor, make_message()).ok


def test_executors_have_names_of_their_own(s3: SilentS3) -> None:
    factory = ExecutorFactory(config(s3))
    executors = start_all(factory, 2)
    try:
        assert [executor.name for executor in executors] == ["w1-e1", "w1-e2"]
    finally:
        for executor in executors:
            executor.close()
    later = factory.start()
    assert later.name == "w1-e3"
    later.close()


def test_one_that_does_not_come_up_is_refused_and_takes_the_others_with_it(s3: SilentS3) -> None:
    broken = config(s3, aws=AwsConfig(region="us-east-1", profile="no-such-profile"))
    started: list[ExecutorProcess] = []

    class Factory(ExecutorFactory):
        def start(self) -> ExecutorProcess:
            started.append(ExecutorProcess(config(s3) if not started else broken))
            return started[-1]

    with pytest.raises(EnvironmentRefused, match="did not start"):
        start_all(Factory(broken), 2)

    assert len(started) == 2
    for executor in started:
        with pytest.raises(ProcessLookupError):
            os.kill(executor.pid, 0)


def test_one_that_does_not_come_up_alone_is_refused_too(s3: SilentS3) -> None:
    broken = config(s3, aws=AwsConfig(region="us-east-1", profile="no-such-profile"))

    with pytest.raises(EnvironmentRefused, match="did not start"):
        start_all(ExecutorFactory(broken), 1)


def open_files() -> set[tuple[int, int]]:
    """What this process has open, by identity: other threads may open and close files of their own meanwhile."""
    found = set()
    for name in os.listdir(OPEN_FILES):  # noqa: PTH208 # descriptors, not paths
        with suppress(OSError):  # the listing's own
            status = os.fstat(int(name))
            found.add((status.st_dev, status.st_ino))
    return found


def test_one_that_finds_no_room_on_the_machine_is_refused_and_leaves_nothing(
    s3: SilentS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen
    started: list[subprocess.Popen[bytes]] = []

    def refuse_the_second(*arguments: Any, **named: Any) -> Any:
        if started:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        started.append(popen(*arguments, **named))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", refuse_the_second)
    before = open_files()

    with pytest.raises(EnvironmentRefused, match=r"^executor w1-e2 cannot be started: Resource .*\(EXECUTORS\)"):
        start_all(ExecutorFactory(config(s3)), 2)

    assert started[0].poll() is not None
    wait_until(lambda: not open_files() - before, "all files to be closed")


def test_closing_one_once_or_twice_leaves_no_process_and_no_open_file(s3: SilentS3) -> None:
    before = open_files()

    with running(s3) as executor:
        pid = executor.pid
        its_own = open_files() - before
        executor.close()  # and again at the end of the block

    assert len(its_own) >= 3  # two pipes and the phase board
    wait_until(lambda: not its_own & open_files(), "the executor's files to be closed")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
