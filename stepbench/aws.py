"""AWS clients: one place that knows region, profile, endpoints, timeouts and retries.

Credentials come from the SDK's own chain. Only the embedded stack has its own, which are worth nothing elsewhere.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from stepbench import unanswered, whole_replies
from stepbench.errors import EnvironmentRefused
from stepbench.samples import Frozen
from stepbench.settings import Settings
from stepbench.sqs_calls import SqsCalls

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

USER_AGENT = "stepbench"

# Where awscrt is installed, for S3_CLIENT=crt, botocore would sign and sum with it in every client: boto3's figures
# would depend on another choice's extra, and an upload in parts that is refused would print a traceback of awscrt's.
# Read by botocore when it is loaded, which nothing here does before this module.
os.environ.setdefault("BOTO_DISABLE_CRT", "true")


class AwsConfig(Frozen):
    """Everything that a process needs to talk to AWS as the user configured it; plain data, fit for a pipe."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    s3_endpoint_url: str | None = None
    sqs_endpoint_url: str | None = None
    lambda_endpoint_url: str | None = None
    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 60.0
    retry_mode: Literal["legacy", "standard", "adaptive"] = "standard"
    max_attempts: int = 5
    connections: int = 10
    """Kept open to one service at most."""

    @classmethod
    def of(cls, settings: Settings) -> AwsConfig:
        return cls(
            region=settings.region,
            profile=settings.profile,
            endpoint_url=settings.endpoint_url,
            s3_endpoint_url=settings.s3_endpoint_url,
            sqs_endpoint_url=settings.sqs_endpoint_url,
            lambda_endpoint_url=settings.lambda_endpoint_url,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            read_timeout_seconds=settings.read_timeout_seconds,
            retry_mode=settings.retry_mode,
            max_attempts=settings.sdk_max_attempts,
            connections=max(10, settings.s3_part_concurrency),
        )


class Keys(NamedTuple):
    """To sign requests with. Secrets: never logged, and in no message."""

    access_key: str
    secret_key: str
    token: str | None


class Clients:
    """One set of clients, made when first used. boto3's clients are safe to share among threads, their making is not.

    `keys` are an access key and its secret, in place of the SDK's own chain of credentials. They are for one server, so
    nothing else of the user's configuration of the SDK (profile, endpoints, proxies …) holds then either.
    """

    def __init__(self, config: AwsConfig, *, keys: tuple[str, str] | None = None) -> None:
        self._config = config
        self._keys = keys
        self.sqs_calls = SqsCalls()
        """What the client of SQS has sent."""

    @cached_property
    def s3(self) -> S3Client:
        endpoint = self._config.s3_endpoint_url or self._config.endpoint_url
        client: S3Client = self._client(
            "s3", endpoint, user_agent_extra=USER_AGENT, s3={"addressing_style": addressing_style(endpoint)}
        )
        if not is_aws(endpoint):
            client.meta.events.register_last("before-call.s3", _has_been_redirected)
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        # A fixed text instead of one that botocore puts together for each call, which is a tenth of a call's CPU. What
        # S3's clients send is left as a user of theirs has it.
        endpoint = self._config.sqs_endpoint_url or self._config.endpoint_url
        client: SQSClient = self._client("sqs", endpoint, user_agent=USER_AGENT)
        client.meta.events.register("response-received.sqs", self.sqs_calls.hear)
        unanswered.tell(client)
        return client

    @cached_property
    def functions(self) -> LambdaClient:
        """Of Lambda, whose own name is a word of Python's."""
        endpoint = self._config.lambda_endpoint_url or self._config.endpoint_url
        client: LambdaClient = self._client("lambda", endpoint, user_agent=USER_AGENT)
        return client

    @cached_property
    def ecs(self) -> Any:
        return self._client("ecs", self._config.endpoint_url, user_agent_extra=USER_AGENT)

    @cached_property
    def sts(self) -> Any:
        return self._client("sts", self._config.endpoint_url, user_agent_extra=USER_AGENT)

    @property
    def credentials_source(self) -> str | None:
        """Where the SDK's chain found credentials, in its own word (`env`, `iam-role`, …); null where it found none.

        Raises EnvironmentRefused.
        """
        from botocore.exceptions import BotoCoreError

        try:
            found = self._session.get_credentials()
        except BotoCoreError as error:
            raise EnvironmentRefused(f"the SDK's credentials cannot be used: {error}") from error
        return None if found is None else str(found.method)

    def credentials(self) -> Keys:
        """What the SDK's chain has now, which renews what runs out: for libraries that do not know the whole chain.

        Raises the SDK's error, where there are none too.
        """
        from botocore.exceptions import NoCredentialsError

        found = self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return Keys(*found.get_frozen_credentials()[:3])

    @cached_property
    def _session(self) -> Any:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            return boto3.Session(
                botocore_session=_sdk_session(untouched=self._keys is not None),
                profile_name=self._config.profile,
                region_name=self._config.region,
                aws_access_key_id=self._keys[0] if self._keys else None,
                aws_secret_access_key=self._keys[1] if self._keys else None,
            )
        except BotoCoreError as error:
            raise EnvironmentRefused(
                f"the SDK's own configuration cannot be used: {error}; --aws-profile (AWS_PROFILE) names the profile"
            ) from error

    def _client(self, service: str, endpoint: str | None, **more: Any) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, NoRegionError

        config = Config(
            connect_timeout=self._config.connect_timeout_seconds,
            read_timeout=self._config.read_timeout_seconds,
            retries={"mode": self._config.retry_mode, "total_max_attempts": self._config.max_attempts},
            max_pool_connections=self._config.connections,
            tcp_keepalive=True,
            proxies={} if self._keys else None,
            **more,
        )
        try:
            client = self._session.client(service, endpoint_url=endpoint, config=config)
        except NoRegionError as error:
            raise EnvironmentRefused("no AWS region is set; --aws-region (AWS_REGION) names it") from error
        except (BotoCoreError, ValueError) as error:
            raise EnvironmentRefused(
                f"no {service} client: {error}; --aws-region (AWS_REGION) names the region"
            ) from error
        whole_replies.insist(client)
        return client


def _sdk_session(*, untouched: bool) -> Any:
    """The SDK's session; `untouched`: it reads no variable and no file of the user's."""
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as VARIABLES  # their spelling
    from botocore.session import Session

    if not untouched:
        # An empty value means "not set", here as in our settings; the SDK would look for a profile of that name.
        named = [variable for variable in ("AWS_DEFAULT_PROFILE", "AWS_PROFILE") if os.environ.get(variable)]
        return Session(session_vars={"profile": (None, named, None, None)})
    files = {"config_file": os.devnull, "credentials_file": os.devnull}
    return Session(
        session_vars={
            name: (None, None, files.get(name, default), convert)
            for name, (_, _, default, convert) in VARIABLES.items()
        }
    )


def _has_been_redirected(params: dict[str, Any], **_: Any) -> None:
    """Keeps botocore from looking for the bucket's region where a server redirects.

    Servers that are not AWS's send elsewhere for other reasons (http to https, a page to log in at). botocore asks them
    for the region by a call that is redirected too, and so on without an end.
    """
    params.get("context", {}).setdefault("s3_redirect", {})["redirected"] = True


def addressing_style(endpoint: str | None) -> Literal["auto", "path"]:
    """Path style for every endpoint that is not AWS's own: a bucket's name as a host name resolves only there."""
    return "auto" if is_aws(endpoint) else "path"


def is_aws(endpoint: str | None) -> bool:
    """Whether this is AWS's own; null is what the SDK takes by itself."""
    host = urlsplit(endpoint).hostname or "" if endpoint else "amazonaws.com"
    return host.endswith(("amazonaws.com", "amazonaws.com.cn"))
