"""Every setting, declared once: name, type, default, unit, bounds and meaning.

Flags, environment variables, `.env` lines and the docs' table all derive from this class. A flag is its variable in
lower case with hyphens and without `ORCH_`. Flags win over the environment, the environment over `.env`; an empty
value means "not set". Built once by the command line and passed down: nothing else reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from stepbench import env_file, fleets, registry
from stepbench.channels import PACKAGE as CHANNELS
from stepbench.lambda_functions import Function

Program = Literal["orchestrator", "worker"]

BOTH: tuple[Program, ...] = ("orchestrator", "worker")
ORCHESTRATOR: tuple[Program, ...] = ("orchestrator",)
WORKER: tuple[Program, ...] = ("worker",)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_MAX_VISIBILITY_TIMEOUT_SECONDS = 43_200
SQS_MAX_RETENTION_SECONDS = 1_209_600
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
S3_MIN_PART_MB = 5.243
S3_MAX_PART_MB = 5_368


def setting(
    variable: str,
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    programs: tuple[Program, ...] = ORCHESTRATOR,
    also: tuple[str, ...] = (),
    accepts: str = "",
    **bounds: Any,
) -> Any:
    """One setting; `also` are other variables it is taken from, `accepts` words pydantic's `bounds`."""
    return Field(
        default,
        validation_alias=AliasChoices(variable, *also),
        description=meaning,
        json_schema_extra={"unit": unit, "programs": list(programs), "accepts": accepts},
        **bounds,
    )


def _choice_in(package: str) -> Callable[[str], str]:
    """A check that a name is a file in `package`; imports none of them."""

    def check(name: str) -> str:
        known = registry.choices(package)
        if name not in known:
            raise ValueError(registry.unknown_choice(name, known))
        return name

    return check


def _compression(text: str) -> str:
    from stepbench.compression import Compression

    return str(Compression.parse(text))


def _function(arn: str) -> str:
    Function.of(arn)
    return arn


SerializerName = Annotated[str, AfterValidator(_choice_in("stepbench.serializers"))]
TransformName = Annotated[str, AfterValidator(_choice_in("worker.transforms"))]
ChannelName = Annotated[str, AfterValidator(_choice_in(CHANNELS))]
S3ClientName = Annotated[str, AfterValidator(_choice_in("stepbench.s3_clients"))]
CompressionText = Annotated[str, AfterValidator(_compression)]
LambdaFunction = Annotated[str, AfterValidator(_function)]
FleetsText = Annotated[dict[str, fleets.Fleet], BeforeValidator(fleets.parse), PlainSerializer(fleets.text)]


class Variables(PydanticBaseSettingsSource):
    """Settings in a table of variables. Where a setting has several, one that is empty gives way to the next."""

    def __init__(self, settings_cls: type[BaseSettings], read: Callable[[], Mapping[str, str]]) -> None:
        super().__init__(settings_cls)
        self._read = read

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Unused: this source gives all values at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        table = self._read()
        found: dict[str, Any] = {}
        for field in self.settings_cls.model_fields:
            names = variables_of(field)
            given = [table[name] for name in names if name in table]
            if given:
                # Kept where all are empty: an empty variable hides a line in `.env`.
                found[names[0]] = next(filter(None, given), "")
        return found


class Settings(BaseSettings):
    """All settings in force. Raises pydantic.ValidationError; `stepbench.configuration` words that for people."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=True)

    region: str | None = setting(
        "AWS_REGION",
        None,
        "AWS region; AWS_DEFAULT_REGION is taken where this is not set",
        programs=BOTH,
        also=("AWS_DEFAULT_REGION",),
    )
    profile: str | None = setting("AWS_PROFILE", None, "profile of the SDK's shared configuration", programs=BOTH)
    endpoint_url: str | None = setting(
        "AWS_ENDPOINT_URL", None, "endpoint of every AWS service, for servers that speak its protocols", programs=BOTH
    )
    s3_endpoint_url: str | None = setting("AWS_ENDPOINT_URL_S3", None, "endpoint of S3 alone", programs=BOTH)
    sqs_endpoint_url: str | None = setting("AWS_ENDPOINT_URL_SQS", None, "endpoint of SQS alone", programs=BOTH)
    lambda_endpoint_url: str | None = setting("AWS_ENDPOINT_URL_LAMBDA", None, "endpoint of Lambda alone")
    bucket: str | None = setting(
        "ORCH_BUCKET", None, "S3 bucket of the payloads; without it everything runs on this machine", programs=BOTH
    )
    prefix: str = setting(
        "ORCH_PREFIX",
        "orchestration-bench/runs/${DATE}/${RUN_ID}/",
        "key prefix in the bucket; ${DATE} and ${RUN_ID}, or {date} and {run_id}, are filled in for each run",
        programs=BOTH,
    )
    steps_queue_url: str | None = setting(
        "ORCH_STEPS_QUEUE_URL", None, "SQS queue that carries step messages to the workers", programs=BOTH
    )
    fleets: FleetsText | None = setting(
        "ORCH_FLEETS",
        None,
        "the fleets of workers that there are, with the steps queue of each, as the stack in infra/ prints them",
        accepts="one line of JSON",
    )
    fleet: str | None = setting(
        "ORCH_FLEET", None, "name of the fleet in ORCH_FLEETS that does the steps: its steps queue is the run's"
    )
    results_queue_prefix: str = setting(
        "ORCH_RESULTS_QUEUE_PREFIX",
        "stepbench-results-",
        "a run's own results queue is called this and the run id",
        programs=BOTH,
        accepts="1 to 50 letters, digits, hyphens and underscores",
        pattern=r"^[A-Za-z0-9_-]{1,50}$",
    )
    results_queue_url: str | None = setting(
        "ORCH_RESULTS_QUEUE_URL", None, "one fixed results queue, in place of one per run", programs=BOTH
    )
    channel: ChannelName = setting(
        "CHANNEL",
        "sqs",
        "how steps reach executors: sqs, through queues to workers; direct, through pipes to executors of the "
        "orchestrator's own machine, without any queue; lambda, by invocations of a Lambda function",
    )
    lambda_function: LambdaFunction | None = setting(
        "ORCH_LAMBDA_FUNCTION", None, "ARN of the Lambda function that does the steps with CHANNEL=lambda"
    )
    sse: Literal["none", "s3", "kms"] = setting("SSE", "none", "server-side encryption asked for with every object")
    kms_key_id: str | None = setting(
        "KMS_KEY_ID", None, "key for SSE=kms; the account's AWS managed key for S3 where not set"
    )
    payload_tag: bool = setting(
        "PAYLOAD_TAG",
        True,
        "payloads carry the S3 object tag stepbench=payload, by which a lifecycle rule tells them from metrics files; "
        "false for stores and S3 clients that know no tags",
    )

    steps: int = setting("STEPS", 5, "steps in each chain", ge=1, le=100_000)
    payload_mb: float = setting(
        "PAYLOAD_MB", 50.0, "size of the generated records as JSON, or of the raw bytes", unit="MB", gt=0, le=50_000
    )
    payload_file: Path | None = setting(
        "PAYLOAD_FILE", None, "your own json, jsonl, csv or parquet file in place of generated records (any with raw)"
    )
    serializer: SerializerName = setting("SERIALIZER", "json", "how payloads become bytes")
    compression: CompressionText = setting(
        "COMPRESSION", "none", "none, gzip, zstd, lz4, snappy or brotli, with a level if you like: zstd:3"
    )
    compressibility: float = setting(
        "COMPRESSIBILITY", 0.5, "how repetitive generated records are: 0 hardly compress, 1 very well", ge=0, le=1
    )
    records_seed: int = setting("RECORDS_SEED", 1, "seed of the generated records", ge=0, le=2**32 - 1)
    materialize: Literal["native", "rows"] = setting(
        "MATERIALIZE", "native", "decode to the serializer's own form, or always to Python rows"
    )
    transform: TransformName = setting("TRANSFORM", "noop", "what a step does with the records")
    transform_cpu_ms: float = setting(
        "TRANSFORM_CPU_MS", 100.0, "CPU time that TRANSFORM=cpu uses in each step", unit="ms", ge=0, le=3_600_000
    )
    transform_io_mb: float = setting(
        "TRANSFORM_IO_MB", 10.0, "scratch data that TRANSFORM=io writes and reads back", unit="MB", ge=0, le=100_000
    )
    concurrency: int = setting("CONCURRENCY", 1, "chains in flight at once", ge=1, le=10_000)
    chains: int | None = setting("CHAINS", None, "chains in all; CONCURRENCY where not set", ge=1, le=1_000_000)
    warmup: int = setting("WARMUP", 0, "warm-up steps before the run, on every chain in flight", ge=0, le=1_000)
    gc: Literal["normal", "off"] = setting("GC", "normal", "Python's garbage collector during a step")
    cleanup: bool = setting(
        "CLEANUP", False, "delete the run's payloads from the bucket at its end, if no chain has failed"
    )

    s3_client: S3ClientName = setting("S3_CLIENT", "boto3", "library that moves the objects")
    s3_part_mb: float = setting(
        "S3_PART_MB",
        8.389,
        "larger objects are moved in parts of this size",
        unit="MB",
        programs=BOTH,
        ge=S3_MIN_PART_MB,
        le=S3_MAX_PART_MB,
    )
    s3_part_concurrency: int = setting(
        "S3_PART_CONCURRENCY", 10, "parts of one object in transfer at once", programs=BOTH, ge=1, le=100
    )
    connect_timeout_seconds: float = setting(
        "CONNECT_TIMEOUT", 5.0, "wait for a connection to AWS", unit="s", programs=BOTH, gt=0, le=300
    )
    read_timeout_seconds: float = setting(
        "READ_TIMEOUT",
        60.0,
        "wait for AWS to answer; above the 20 s of a long poll",
        unit="s",
        programs=BOTH,
        ge=25,
        le=3_600,
    )
    retry_mode: Literal["legacy", "standard", "adaptive"] = setting(
        "AWS_RETRY_MODE", "standard", "how the SDK retries by itself", programs=BOTH
    )
    sdk_max_attempts: int = setting(
        "AWS_MAX_ATTEMPTS",
        5,
        "tries of one AWS call, the first included, before it counts as failed",
        programs=BOTH,
        ge=1,
        le=50,
    )

    step_timeout_seconds: float = setting(
        "STEP_TIMEOUT", 900.0, "a step that runs longer is ended and reported as failed", unit="s", gt=0, le=43_200
    )
    stall_timeout_seconds: float = setting(
        "STALL_TIMEOUT",
        300.0,
        "steps are lost when nothing came back for so long and the queue is empty",
        unit="s",
        gt=0,
        le=86_400,
    )
    no_worker_warning_seconds: float = setting(
        "NO_WORKER_WARNING",
        60.0,
        "the progress says what to look at when no worker has answered for so long; 0: never",
        unit="s",
        ge=0,
        le=86_400,
    )
    max_attempts: int = setting("MAX_ATTEMPTS", 3, "attempts at one step before its chain fails", ge=1, le=100)
    step_expiry_seconds: float = setting(
        "STEP_EXPIRY",
        86_400.0,
        "a step message older than this is deleted, not run",
        unit="s",
        gt=0,
        le=SQS_MAX_RETENTION_SECONDS,
    )
    fair_queues: bool = setting(
        "FAIR_QUEUES", True, "send the run id as MessageGroupId, so that SQS shares workers fairly among runs"
    )
    metrics_dir: Path = setting("METRICS_DIR", Path("out"), "folder of the metrics files")
    metrics_fsync: bool = setting(
        "METRICS_FSYNC",
        False,
        "write the metrics file through to the disk line by line: it then survives a power cut",
    )
    metrics_sync_seconds: int = setting(
        "METRICS_SYNC_SECONDS",
        0,
        "copy what is new in the metrics file to the bucket so often during the run, for `resume` and `tail` on any "
        "machine; 0: never",
        unit="s",
        ge=0,
        le=3_600,
    )
    metrics_to_s3: bool = setting("METRICS_TO_S3", False, "copy the metrics file to the bucket at the end of the run")

    executors: int | None = setting(
        "EXECUTORS",
        None,
        "steps a worker, or CHANNEL=direct, runs at once; the cores it was given where not set",
        programs=BOTH,
        ge=1,
        le=1_024,
    )
    executor_max_steps: int = setting(
        "EXECUTOR_MAX_STEPS", 0, "an executor is replaced after so many steps; 0: never", programs=BOTH, ge=0
    )
    visibility_timeout_seconds: int = setting(
        "VISIBILITY_TIMEOUT",
        120,
        "a message in work stays hidden for so long, and is extended in time",
        unit="s",
        programs=BOTH,
        ge=2,
        le=SQS_MAX_VISIBILITY_TIMEOUT_SECONDS,
    )
    drain_timeout_seconds: float = setting(
        "DRAIN_TIMEOUT",
        100.0,
        "grace that a worker gives its steps when it is told to end",
        unit="s",
        programs=WORKER,
        ge=0,
        le=7_200,
    )
    health_file: Path | None = setting(
        "HEALTH_FILE",
        None,
        "a worker writes this file every few seconds while it gets on, for health checks",
        programs=WORKER,
    )
    ecs_agent_uri: str | None = setting(
        "ECS_AGENT_URI",
        None,
        "set by ECS in its containers: a worker has its task kept from being scaled in while it has steps",
        programs=WORKER,
    )
    log_level: Literal["debug", "info", "warning", "error"] | None = setting(
        "LOG_LEVEL", None, "least severe log lines shown; the orchestrator shows warnings, a worker info", programs=BOTH
    )
    log_format: Literal["auto", "console", "json"] = setting(
        "LOG_FORMAT", "auto", "log lines on stderr; auto: console on a terminal, else json", programs=BOTH
    )

    @property
    def embedded(self) -> bool:
        """No bucket is configured: everything runs on this machine."""
        return self.bucket is None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_not_set(cls, value: Any, info: ValidationInfo) -> Any:
        if value == "" and info.field_name:
            return cls.model_fields[info.field_name].get_default()
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then `.env`."""
        return (
            init_settings,
            Variables(settings_cls, lambda: os.environ),
            Variables(settings_cls, lambda: env_file.read().values),
        )


class _OfValues(Settings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def of_values(values: Mapping[str, Any]) -> Settings:
    """Settings of `values` (by variable) and of defaults, whatever this machine is set to. Raises ValidationError."""
    return _OfValues(**values)


def variables_of(field: str) -> list[str]:
    """`region` → `["AWS_REGION", "AWS_DEFAULT_REGION"]`; the first is the setting's name."""
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)
    return [str(choice) for choice in alias.choices]


def variable_of(field: str) -> str:
    """`payload_mb` → `PAYLOAD_MB`."""
    return variables_of(field)[0]


def flag_of(variable: str) -> str:
    """`ORCH_STEPS_QUEUE_URL` → `--steps-queue-url`."""
    return "--" + variable.removeprefix("ORCH_").lower().replace("_", "-")


def named(field: str) -> str:
    """`payload_mb` → `--payload-mb (PAYLOAD_MB)`."""
    return f"{flag_of(variable_of(field))} ({variable_of(field)})"
