"""`cleanup` on the emulated stack: exactly what runs that are over have left goes, next to all that looks like it."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.runs.commands import orchestrator, orchestrator_unread
from tests.runs.fleet import Fleet
from tests.runs.programs import RunProgram
from tests.runs.saboteur import Saboteur
from tests.runs.waiting import eventually

SMALL = ("--steps=2", "--payload-mb=0.01")
OLD = "20200102-030405-0a1b2c"
"""A run that no metrics file here tells of."""
NOW = ("--older-than=0s", "--step-expiry=0.001")
"""Whatever has no other sign of life is over."""


@dataclass(frozen=True)
class Ground:
    """A prefix and a queue prefix of this test's own, on which runs leave things."""

    fleet: Fleet
    name: str
    metrics_dir: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "ORCH_PREFIX": f"{self.name}/${{DATE}}/${{RUN_ID}}/",
            "ORCH_RESULTS_QUEUE_PREFIX": f"{self.name}-",
            "METRICS_DIR": str(self.metrics_dir),
        }

    def cleanup(self, *flags: str, **variables: str) -> CompletedProcess[str]:
        return orchestrator(self.fleet, "cleanup", *flags, **self.variables | variables)

    def finished(self) -> str:
        """A run that has come to its end, with a copy of its metrics in the bucket; its id."""
        before = set(self._run_ids())
        self.fleet.worker(**self.variables)
        ended = self.fleet.run(*SMALL, **self.variables, METRICS_TO_S3="true")
        assert ended.exit_code == 0, ended.stderr
        (run_id,) = set(self._run_ids()) - before
        return run_id

    def begun(self) -> tuple[RunProgram, str]:
        """A run that waits for a worker, and its id."""
        before = set(self._run_ids())
        steps = self.fleet.new_queue("nobodys")
        run = self.fleet.start(*SMALL, **self.variables, ORCH_STEPS_QUEUE_URL=steps)
        (run_id,) = eventually("its metrics file", lambda: set(self._run_ids()) - before)
        self.fleet.until_depth((1, 0), steps)  # what was only announced when it dies is waited for until STALL_TIMEOUT
        return run, run_id

    def _run_ids(self) -> list[str]:
        return [path.stem.removeprefix("metrics-") for path in self.metrics_dir.glob("*.jsonl")]

    def folder(self, run_id: str) -> str:
        """Where a run's objects are."""
        return f"{self.name}/{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}/{run_id}/"

    def put(self, key: str) -> str:
        self.fleet.clients.s3.put_object(Bucket=self.fleet.bucket, Key=key, Body=b"12345")
        return key

    def upload(self, key: str) -> str:
        """Begins one in parts and leaves it so."""
        self.fleet.clients.s3.create_multipart_upload(Bucket=self.fleet.bucket, Key=key)
        return key

    def queue(self, name: str) -> str:
        return self.fleet.clients.sqs.create_queue(QueueName=name)["QueueUrl"]

    def objects(self) -> set[str]:
        """Keys that have this ground's name in them."""
        return {key for key in self.fleet.keys("") if self.name in key}

    def uploads(self) -> set[str]:
        found = self.fleet.clients.s3.list_multipart_uploads(Bucket=self.fleet.bucket).get("Uploads", ())
        return {upload["Key"] for upload in found if self.name in upload["Key"]}

    def queues(self) -> set[str]:
        found = self.fleet.clients.sqs.list_queues().get("QueueUrls", ())
        return {url.rpartition("/")[2] for url in found if self.name in url}

    def everything(self) -> tuple[set[str], set[str], set[str]]:
        return self.objects(), self.uploads(), self.queues()


@pytest.fixture
def ground(fleet: Fleet, tmp_path: Path) -> Ground:
    return Ground(fleet, f"clean{uuid.uuid4().hex[:8]}", tmp_path / "metrics")


def test_exactly_what_runs_that_are_over_have_left_is_removed(ground: Ground) -> None:
    done = ground.finished()
    going_on, going_on_id = ground.begun()
    killed, killed_id = ground.begun()
    killed.kill()
    far = "20200102-030405-ffffff"  # its orchestrator is elsewhere, and has not yet taken what came back
    far_queue = ground.queue(f"{ground.name}-{far}")
    ground.fleet.clients.sqs.send_message(QueueUrl=far_queue, MessageBody="a completion")
    folder = ground.folder(OLD)
    to_go = {
        ground.put(f"{ground.folder(done)}payloads/chain00001-step00001-of-a-duplicate.json"),
        ground.put(f"{folder}payloads/first-x.json"),
        ground.put(f"{folder}payloads/a/deep er/k+y &c"),
    } | {key for key in ground.objects() if key.startswith(f"{ground.folder(done)}payloads/")}
    uploads_to_go = {ground.upload(f"{folder}payloads/big"), ground.upload(f"{ground.folder(done)}payloads/big")}
    ground.queue(f"{ground.name}-{OLD}")
    stays = {
        ground.put(f"{ground.folder(far)}payloads/first-x.json"),
        ground.put(f"{ground.name}2/2020-01-02/{OLD}/payloads/x"),
        ground.put(f"{ground.name}"),
        ground.put(f"{ground.name}/{OLD}/payloads/x"),
        ground.put(f"{ground.name}/2020-01-03/{OLD}/payloads/x"),
        ground.put(f"{ground.name}/2020-01-02/x/{OLD}/payloads/x"),
        ground.put(f"{ground.name}/2020-01-02/{OLD}-2/payloads/x"),
        ground.put(f"{ground.name}/2020-01-02/{OLD.upper()}/payloads/x"),
        ground.put(f"above/{folder}payloads/x"),
        ground.put(f"{folder}payloads/"),
        ground.put(f"{folder}payloads"),
        ground.put(f"{folder}payloads2/x"),
        ground.put(f"{folder}by-hand/payloads/x"),
        ground.put(f"{folder}metrics/metrics-{OLD}.jsonl"),
    }
    ground.upload(f"{ground.name}2/2020-01-02/{OLD}/payloads/big")
    ground.upload(f"{ground.folder(killed_id)}payloads/big")
    for name in (f"{ground.name}-other", f"{ground.name}-{OLD}-2", f"x{ground.name}-{OLD}", f"{ground.name}{OLD}"):
        ground.queue(name)
    keys, uploads, queues = ground.everything()

    answer = ground.cleanup(*NOW, "--yes")

    assert answer.returncode == 0, answer.stderr
    assert keys - ground.objects() == to_go
    assert stays <= ground.objects()
    assert uploads - ground.uploads() == uploads_to_go
    assert queues - ground.queues() == {f"{ground.name}-{OLD}"}
    assert f"Removed: {len(to_go)} objects, " in answer.stdout
    assert "2 incomplete uploads; 1 results queue." in answer.stdout
    assert "    kept: its orchestrator is at work on this machine\n" in answer.stdout
    assert "    kept: it has not finished: resume it, or give it up by moving " in answer.stdout
    assert "    kept: its results queue holds messages (about 1), which " in answer.stdout
    assert "of runs that are over: 2 metrics files (--metrics" in answer.stdout
    assert going_on.process.poll() is None
    ground.fleet.clients.sqs.purge_queue(QueueUrl=far_queue)
    assert f"removed of {far}: " in ground.cleanup(*NOW, "--yes").stdout
    assert f"{ground.name}-{going_on_id}" in ground.queues()


def test_a_run_that_was_not_touched_can_still_be_resumed(ground: Ground) -> None:
    run, run_id = ground.begun()
    run.kill()
    for named in ((), (run_id,)):
        assert ground.cleanup(*named, *NOW, "--metrics", "--yes").returncode == 0

    plan = json.loads((ground.metrics_dir / f"metrics-{run_id}.jsonl").read_text().splitlines()[0])["plan"]
    there = ground.variables | {"ORCH_STEPS_QUEUE_URL": plan["steps_queue_url"], "PAYLOAD_MB": str(plan["payload_mb"])}
    ground.fleet.worker(**there)
    resumed = orchestrator(ground.fleet, "resume", run_id, "--quiet", **there)

    assert resumed.returncode == 0, resumed.stderr


def test_a_dry_run_says_what_would_go_and_removes_nothing(ground: Ground) -> None:
    ground.put(f"{ground.folder(OLD)}payloads/x")
    ground.upload(f"{ground.folder(OLD)}payloads/y")
    ground.queue(f"{ground.name}-{OLD}")
    before = ground.everything()

    answer = ground.cleanup(*NOW, "--dry-run", "--yes")

    assert answer.returncode == 0, answer.stderr
    assert "To remove: 1 object, 5 B; 1 incomplete upload; 1 results queue; of 1 run.\n" in answer.stdout
    assert "emoved" not in answer.stdout
    assert ground.everything() == before


def test_without_a_terminal_and_without_yes_nothing_is_removed(ground: Ground) -> None:
    ground.put(f"{ground.folder(OLD)}payloads/x")
    before = ground.everything()

    answer = ground.cleanup(*NOW)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--yes" in answer.stderr
    assert ground.everything() == before


def test_a_finished_run_is_kept_for_a_week_and_removed_at_once_when_it_is_named(ground: Ground) -> None:
    done = ground.finished()
    ground.put(f"{ground.folder(OLD)}payloads/x")
    before = ground.objects()

    assert "it counts as over after 7 days" in ground.cleanup("--yes").stdout
    assert ground.objects() == before
    named = ground.cleanup(done, "--yes", "--metrics")

    assert named.returncode == 0, named.stderr
    assert {key for key in before if key.startswith(ground.folder(done))} == before - ground.objects()
    assert ground.objects() == {f"{ground.folder(OLD)}payloads/x"}


def test_a_finished_run_whose_failed_chains_are_tried_again_elsewhere_is_kept(
    ground: Ground, saboteur: Saboteur
) -> None:
    worker = ground.fleet.worker(**ground.variables, **saboteur.variables)
    saboteur.order("kill", "transform")
    failed = ground.fleet.run(*SMALL, "--max-attempts=1", **ground.variables)
    assert failed.exit_code == 1, failed.stderr
    worker.kill()  # whoever tries again waits for another one
    (path,) = ground.metrics_dir.iterdir()
    run_id = path.stem.removeprefix("metrics-")
    elsewhere = ground.fleet.folder / "elsewhere"
    shutil.copytree(ground.metrics_dir, elsewhere / "out")
    there = ground.variables | {"METRICS_DIR": "out", "PAYLOAD_MB": "0.01"}
    again = ground.fleet.start_resume(elsewhere, run_id, "--retry-failed", **there)
    again.until("it goes on", lambda so_far: so_far.events("resumed"))
    before = ground.everything()

    answer = ground.cleanup(run_id, "--yes")

    assert "its results queue is there, so it may have been gone on with elsewhere\n" in answer.stdout
    assert ground.everything() == before


def test_a_named_run_that_is_not_known_here_is_kept_until_its_steps_expire(ground: Ground) -> None:
    key = ground.put(f"{ground.folder(OLD)}payloads/x")

    assert "it counts as over after 24 h 00 min" in ground.cleanup(OLD, "--older-than=0s", "--yes").stdout
    assert ground.objects() == {key}
    assert "Removed: 1 object, 5 B." in ground.cleanup(OLD, *NOW, "--yes").stdout
    assert ground.objects() == set()


def test_what_is_to_go_goes_though_nobody_reads_the_words(ground: Ground) -> None:
    for number in range(3):
        ground.put(f"{ground.folder(f'20200102-03040{number}-0a1b2c')}payloads/x")

    answer = orchestrator_unread(ground.fleet, "cleanup", *NOW, "--yes", **ground.variables)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert ground.objects() == set()


def test_what_a_fixed_results_queue_is_called_does_not_make_it_a_runs_own(ground: Ground) -> None:
    fixed = ground.queue(f"{ground.name}-{OLD}")

    answer = ground.cleanup(*NOW, "--yes", ORCH_RESULTS_QUEUE_URL=fixed)

    assert answer.stdout == "To remove: nothing.\n"
    assert ground.queues() == {f"{ground.name}-{OLD}"}


def test_what_the_steps_queue_is_called_does_not_make_it_a_runs_own(ground: Ground) -> None:
    steps = ground.queue(f"{ground.name}-{OLD}")

    answer = ground.cleanup(*NOW, "--yes", ORCH_STEPS_QUEUE_URL=steps)

    assert answer.stdout == "To remove: nothing.\n"
    assert ground.queues() == {f"{ground.name}-{OLD}"}


def test_a_prefix_without_a_slash_before_its_placeholder_keeps_to_runs_too(ground: Ground) -> None:
    ground.put(f"{ground.name}{OLD}/payloads/x")
    stays = {ground.put(f"{ground.name}2{OLD}/payloads/x"), ground.put(f"{ground.name}2/{OLD}/payloads/x")}

    answer = ground.cleanup(*NOW, "--yes", ORCH_PREFIX=f"{ground.name}${{RUN_ID}}")

    assert answer.returncode == 0, answer.stderr
    assert ground.objects() == stays
    assert "2 objects below the prefix without the look of a run's, left alone." in answer.stdout


@pytest.mark.parametrize(
    ("flags", "told"),
    [(["yesterday"], "'yesterday' is no run id"), (["--older-than", "7"], "'7' is no age; 30m, 12h and 7d are some")],
)
def test_what_is_no_run_or_no_age_is_wrong_usage(flags: list[str], told: str, ground: Ground) -> None:
    answer = ground.cleanup(*flags, "--yes")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert told in answer.stderr
