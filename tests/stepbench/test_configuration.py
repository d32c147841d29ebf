from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench import configuration, machine, setting_rules, settings_table
from stepbench.errors import UsageError
from stepbench.settings import Settings, flag_of, variable_of
from tests.refusals import problems

QUEUES = "https://sqs.eu-west-1.amazonaws.com/123456789012"
AWS = {"ORCH_BUCKET": "payloads", "ORCH_STEPS_QUEUE_URL": f"{QUEUES}/steps"}
BOUNDED = [row for row in settings_table.table() if row.accepts.startswith(("a number", "a whole number"))]
NO_PROGRAM = """
import os, sysconfig, importlib.metadata as metadata
metadata.distribution = lambda name: metadata.Distribution.from_name("no such")
sysconfig.get_path = lambda name: "/nowhere"
os.environ["PATH"] = ""
"""
CHOSEN = [row for row in settings_table.table() if re.fullmatch(r"\w+(, \w+)*", row.accepts)]


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_limit_bytes", lambda: 1_000_000_000)


def test_without_anything_the_defaults_hold() -> None:
    assert configuration.load({}) == Settings.model_construct()


# --- one setting by itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", BOUNDED, ids=lambda row: row.variable)
def test_a_number_out_of_bounds_is_told_with_its_bounds_and_unit(row: settings_table.Row) -> None:
    for wrong in ("-1", "many", "nan", "1e99"):
        [problem] = problems({row.variable: wrong}, row.programs[0])
        assert problem == f"{row.flag} {wrong}: must be {row.accepts}" + (f" {row.unit}" if row.unit else "")


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.variable)
def test_a_value_that_is_no_choice_is_told_with_all_choices(row: settings_table.Row) -> None:
    [problem] = problems({row.variable: "qqqqqq"})
    assert problem == f"{row.flag} qqqqqq: 'qqqqqq' is not one of {row.accepts}"


@pytest.mark.parametrize(
    ("variable", "typed", "meant"),
    [
        ("SERIALIZER", "jsn", "json"),
        ("SERIALIZER", "parket", "parquet"),
        ("TRANSFORM", "nop", "noop"),
        ("S3_CLIENT", "boto", "boto3"),
        ("COMPRESSION", "zsdt:3", "zstd"),
        ("COMPRESSION", "ZSTD", "zstd"),
        ("SERIALIZER", "JSON", "json"),
        ("SSE", "ksm", "kms"),
        ("AWS_RETRY_MODE", "standart", "standard"),
        ("LOG_LEVEL", "INFOS", None),
        ("LOG_LEVEL", "warn", "warning"),
        ("CLEANUP", "treu", "true"),
    ],
)
def test_the_nearest_choice_is_suggested(variable: str, typed: str, meant: str | None) -> None:
    [problem] = problems({variable: typed})
    assert problem.endswith(f"; did you mean {meant}?") is (meant is not None)


def test_a_results_queue_prefix_that_is_no_name_is_told_with_what_it_may_have() -> None:
    assert problems({"ORCH_RESULTS_QUEUE_PREFIX": "a b"}) == [
        "--results-queue-prefix a b: must be 1 to 50 letters, digits, hyphens and underscores"
    ]


def test_each_problem_says_where_its_value_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINS", "many")
    Path(".env").write_text("WARMUP=some\nSTEPS=hidden\nCHAINS=hidden\n")

    told = problems({"STEPS": "few"})

    whole = "a whole number from"
    assert sorted(told) == [
        f"--steps few: must be {whole} 1 to 100,000",
        f"CHAINS=many (flag --chains): must be {whole} 1 to 1,000,000",
        f"WARMUP=some in .env (flag --warmup): must be {whole} 0 to 1,000",
    ]


def test_everything_wrong_is_told_at_once_what_settings_mean_together_included(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_MB", "x")
    flags = {
        "STEPS": "0",
        "SERIALIZER": "jsn",
        "CHAINS": "1",
        "CONCURRENCY": "4",
        "ORCH_BUCKET": "Not A Bucket",
        "ORCH_PREFIX": "/top/{chain}/",
        "KMS_KEY_ID": "key",
        "AWS_ENDPOINT_URL": "localhost:4566",
    }

    told = "\n".join(problems(flags))

    assert len(told.splitlines()) == 10  # the prefix has two
    for field in (
        *("steps", "serializer", "payload_mb", "bucket", "steps_queue_url", "prefix", "kms_key_id", "endpoint_url"),
        *("chains", "concurrency"),
    ):
        assert flag_of(variable_of(field)) in told


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"S3_CLIENT": "pyarrow", "PAYLOAD_TAG": "false"}, []),
        ({"S3_CLIENT": "s5cmd", "PAYLOAD_TAG": "false", "SSE": "s3"}, []),
        ({"S3_CLIENT": "s5cmd"}, ["--payload-tag (PAYLOAD_TAG) is true, and s5cmd cannot tag objects"]),
        (
            {"S3_CLIENT": "pyarrow", "SSE": "kms"},
            [
                "--payload-tag (PAYLOAD_TAG) is true, and pyarrow cannot tag objects",
                "--sse (SSE) is kms, and pyarrow cannot ask for encryption",
            ],
        ),
        ({"S3_CLIENT": "crt", "SSE": "kms"}, []),
    ],
)
def test_what_an_s3_client_cannot_do_is_told_before_anything_is_sent(wanted: dict[str, str], told: list[str]) -> None:
    found = problems(wanted)
    assert [problem.startswith(start) for problem, start in zip(found, told, strict=True)] == [True] * len(told)
    assert all("--s3-client (S3_CLIENT)" in problem for problem in found)


@pytest.mark.parametrize(
    ("client", "hidden", "told"),
    [
        ("crt", "sys.modules['awscrt'] = None", "crt needs the package awscrt"),
        ("obstore", "sys.modules['obstore'] = None", "obstore needs the package obstore"),
        ("s5cmd", NO_PROGRAM, "s5cmd needs the program"),
    ],
)
def test_an_s3_client_that_is_not_installed_is_told_with_what_installs_it(client: str, hidden: str, told: str) -> None:
    wanted = {"S3_CLIENT": client, "PAYLOAD_TAG": "false"}
    program = f"import sys\n{hidden}\nfrom stepbench import configuration; configuration.load({wanted})"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    last = answer.stderr.splitlines()[-1]
    assert told in last
    assert last.endswith(f"pip install 'stepbench[{client}]'")


def test_a_rule_over_settings_that_are_wrong_by_themselves_keeps_quiet() -> None:
    [problem] = problems({"SSE": "kmz", "KMS_KEY_ID": "key"})
    assert problem.startswith("--sse kmz: ")


@given(values=st.dictionaries(st.sampled_from([row.variable for row in settings_table.table()]), st.text(), max_size=6))
def test_whatever_is_typed_is_taken_or_refused_in_a_line_for_each_problem(values: dict[str, str]) -> None:
    for problem in problems(values):
        assert any(row.flag in problem for row in settings_table.table())
        assert not re.search(r"pydantic|Traceback|Value error|Input should", problem)


def test_a_choice_that_is_not_installed_is_told_among_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise UsageError("msgpack is not installed")

    monkeypatch.setattr(setting_rules, "PayloadFormat", missing)

    told = problems({"SERIALIZER": "msgpack", "CHAINS": "1", "CONCURRENCY": "2"})
    assert "msgpack is not installed" in told
    assert len(told) == 2


# --- settings together ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"ORCH_BUCKET": "payloads"}, "--steps-queue-url (ORCH_STEPS_QUEUE_URL) is not set"),
        ({**AWS, "ORCH_BUCKET": "My_Bucket"}, "--bucket (ORCH_BUCKET): 'My_Bucket' is no bucket name"),
        ({**AWS, "ORCH_BUCKET": "ab"}, "3 to 63"),
        ({**AWS, "ORCH_STEPS_QUEUE_URL": "steps"}, "--steps-queue-url (ORCH_STEPS_QUEUE_URL): 'steps' is no queue URL"),
        ({**AWS, "ORCH_STEPS_QUEUE_URL": f"{QUEUES[:-1]}/steps"}, "is no queue URL"),
        ({**AWS, "ORCH_STEPS_QUEUE_URL": "http://[/123456789012/steps"}, "is no queue URL"),
        ({**AWS, "ORCH_STEPS_QUEUE_URL": f"{QUEUES}/steps.fifo"}, "is a FIFO queue; a standard queue is needed"),
        ({**AWS, "ORCH_RESULTS_QUEUE_URL": f"{QUEUES}/r.fifo"}, "--results-queue-url (ORCH_RESULTS_QUEUE_URL)"),
        ({**AWS, "ORCH_RESULTS_QUEUE_URL": f"{QUEUES}/steps"}, "is the steps queue; the two need a queue each"),
        ({"ORCH_PREFIX": "../{run_id}/"}, "--prefix (ORCH_PREFIX): '../{run_id}/' has a '.', '..'"),
        ({"ORCH_PREFIX": "runs/{chain}/"}, "unknown placeholder {chain}"),
        ({"ORCH_PREFIX": "{run_id}/"}, "has nothing before its first placeholder"),
        ({"KMS_KEY_ID": "key"}, "--kms-key-id (KMS_KEY_ID) is set, but --sse (SSE) is none"),
        ({"KMS_KEY_ID": "key", "SSE": "s3"}, "--sse (SSE) is s3"),
        ({"CHAINS": "2", "CONCURRENCY": "3"}, "--chains (CHAINS): 2 cannot keep 3 in flight"),
        ({"PAYLOAD_FILE": "gone.json"}, "--payload-file (PAYLOAD_FILE): gone.json does not exist"),
        ({"METRICS_DIR": "empty.json"}, "--metrics-dir (METRICS_DIR): empty.json: empty.json is no folder; name a"),
        ({"PAYLOAD_FILE": "empty.json"}, "empty.json is empty"),
        ({"PAYLOAD_FILE": "."}, "is no regular file"),
        ({"PAYLOAD_FILE": "a" * 300}, "cannot be read: File name too long"),
        ({"AWS_ENDPOINT_URL": "localhost:4566"}, "--aws-endpoint-url (AWS_ENDPOINT_URL): 'localhost:4566' is no endp"),
        ({"AWS_ENDPOINT_URL_S3": "http://["}, "--aws-endpoint-url-s3 (AWS_ENDPOINT_URL_S3): 'http://[' is no endpoint"),
        ({"AWS_ENDPOINT_URL_SQS": "http://host:99999"}, "--aws-endpoint-url-sqs (AWS_ENDPOINT_URL_SQS)"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(flags: dict[str, str], told: str) -> None:
    Path("empty.json").touch()

    [problem] = problems(flags)
    assert told in problem


@pytest.mark.parametrize(
    "flags",
    [
        AWS,
        {**AWS, "ORCH_RESULTS_QUEUE_URL": f"{QUEUES}/results"},
        {**AWS, "ORCH_STEPS_QUEUE_URL": "http://127.0.0.1:4566/000000000000/steps"},
        {**AWS, "ORCH_BUCKET": "a.bucket-1"},
        {"SSE": "kms"},
        {"SSE": "kms", "KMS_KEY_ID": "key"},
        {"CHAINS": "3", "CONCURRENCY": "3"},
        {"PAYLOAD_FILE": "good.json"},
        {"PAYLOAD_FILE": "other", "SERIALIZER": "raw"},
        {"AWS_ENDPOINT_URL": "http://localhost:4566"},
        {"AWS_ENDPOINT_URL": "https://s3.example/"},
        {"AWS_ENDPOINT_URL": "http://[::1]:9000"},
    ],
)
def test_settings_that_go_together_are_taken(flags: dict[str, str]) -> None:
    Path("good.json").write_text("[{}]")
    Path("other").write_text("x")

    assert problems(flags) == []


def test_a_payload_larger_than_memory_allows_is_refused_with_the_largest_that_fits(small_machine: None) -> None:
    [problem] = problems({"PAYLOAD_MB": "1000"})
    assert problem.startswith("--payload-mb (PAYLOAD_MB): 1,000 MB as json needs about ")
    most = re.search(r"accepts up to ([\d,]+) MB", problem)
    assert most is not None
    assert problems({"PAYLOAD_MB": most[1].replace(",", "")}) == []


# json needs 6.5 times a payload's size in each step; this machine has 1,000 MB and two cores.
@pytest.mark.parametrize(
    ("flags", "most_mb"),
    [
        ({"CONCURRENCY": "1", "EXECUTORS": "4"}, 153),
        ({"CONCURRENCY": "4", "EXECUTORS": "1"}, 153),
        ({"CONCURRENCY": "4", "EXECUTORS": "4"}, 38),
        ({"CONCURRENCY": "9", "EXECUTORS": "4"}, 38),
        ({"CONCURRENCY": "4"}, 76),
        ({**AWS, "CONCURRENCY": "4", "EXECUTORS": "4"}, 153),
    ],
)
def test_steps_that_run_on_this_machine_at_once_share_its_memory(
    flags: dict[str, str], most_mb: int, small_machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)

    [problem] = problems({**flags, "PAYLOAD_MB": str(most_mb + 1)})
    assert problem.endswith(f"; accepts up to {most_mb} MB")
    assert problems({**flags, "PAYLOAD_MB": str(most_mb)}) == []


@pytest.mark.parametrize(
    ("flags", "most_mb"),
    [
        ({}, 50),  # its records need 20 times its size
        ({"SERIALIZER": "raw"}, 909),
        ({"CONCURRENCY": "5", "EXECUTORS": "5"}, 30),  # five steps need more than its reading
    ],
)
def test_a_file_larger_than_memory_allows_is_refused_in_its_own_name(
    flags: dict[str, str], most_mb: int, small_machine: None
) -> None:
    for name, size_mb in (("small.json", most_mb), ("large.json", most_mb + 1)):
        with Path(name).open("wb") as file:
            file.truncate(size_mb * 1_000_000)

    assert problems({**flags, "PAYLOAD_FILE": "small.json"}) == []
    [problem] = problems({**flags, "PAYLOAD_FILE": "large.json"})
    assert problem.startswith(f"--payload-file (PAYLOAD_FILE): {most_mb + 1} MB")
    assert problem.endswith(f"; accepts up to {most_mb} MB")


def test_a_worker_leaves_the_orchestrators_settings_alone(small_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": "x", "PAYLOAD_FILE": "gone.json", "PAYLOAD_MB": "4e4", "KMS_KEY_ID": "key"}.items():
        monkeypatch.setenv(name, value)

    assert len(problems(AWS, "orchestrator")) == 3
    assert problems(AWS, "worker") == []
    [problem] = problems({**AWS, "EXECUTORS": "0"}, "worker")
    assert "--executors 0" in problem


def test_commands_that_only_read_in_the_metrics_folder_do_not_care_whether_it_can_be_written() -> None:
    configuration.load({"METRICS_DIR": "/dev/null/out"}, only=("METRICS_DIR",))


# --- the file, the table, and what is told of the settings ----------------------------------------------------------


def test_lines_of_the_file_that_look_like_ours_are_told_with_the_nearest() -> None:
    Path(".env").write_text("ORCH_BUKET=payloads\nOTHER=1\nSTEPZ=3\nORCH_PREFIX=a/\n")

    [warning] = configuration.unknown_lines()
    assert warning.startswith(".env: 'ORCH_BUKET' is not one of ORCH_BUCKET")
    assert warning.endswith("did you mean ORCH_BUCKET?")


def test_a_line_that_is_near_to_nothing_is_told_too() -> None:
    Path(".env").write_text("ORCH_QQQQQQQQQQQQQQQQQQQQQQQQ=1\n")

    [warning] = configuration.unknown_lines()
    assert "did you mean" not in warning


def test_what_is_in_force_is_plain_data_by_variable() -> None:
    told = configuration.in_force(configuration.load({"STEPS": "2", "METRICS_DIR": "here"}))

    assert list(told) == [row.variable for row in settings_table.table()]
    assert (told["STEPS"], told["METRICS_DIR"], told["CHAINS"]) == (2, "here", None)
