"""An emulator of S3, SQS, ECS and IAM in one process, with IAM's policies enforced, for tests that need permissions.

`python tests/emulator.py` prints its port and lives as long as its standard input, as the embedded emulators do.
`enforcing()` starts it for a test and gives an `Account`, which makes users with exactly the policy they are given.
tests/infra_apply has an emulator with the services of a whole stack that stands on this one.
"""

from __future__ import annotations

import fnmatch
import functools
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROOT_KEYS = ("AKIAIOSFODNN7EXAMPLE", "root")
"""What is signed with these is not checked: they make users, buckets and queues."""

# moto asks for an action called like the call; AWS has one action for a call and its batch, and other names for some.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
AWS_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
}


@dataclass(frozen=True)
class User:
    """A name and the environment for programs; a user's policy is given with `Account.allow`, a role has its own."""

    name: str
    environment: dict[str, str]


class Account:
    """The emulated account, driven with its root's keys."""

    def __init__(self, port: str) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    @property
    def root(self) -> User:
        """Who may do everything."""
        return User("root", _keys(*ROOT_KEYS) | self._here)

    @functools.cache  # noqa: B019 # an account lives as long as its test
    def client(self, service: str) -> Any:
        """A boto3 client that is allowed everything."""
        return self.client_of(self.root, service)

    def client_of(self, user: User, service: str) -> Any:
        """A boto3 client that is allowed what `user` is; it retries nothing."""
        import boto3
        from botocore.config import Config

        of = user.environment
        keys = of["AWS_ACCESS_KEY_ID"], of["AWS_SECRET_ACCESS_KEY"], of.get("AWS_SESSION_TOKEN")
        session: Any = boto3.Session(*keys)
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return session.client(service, region_name=REGION, endpoint_url=self.endpoint, config=config)

    def user(self, name: str) -> User:
        """A new user who may do nothing yet, and the environment for programs run as that user."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        keys = iam.create_access_key(UserName=name)["AccessKey"]
        return User(name, _keys(keys["AccessKeyId"], keys["SecretAccessKey"]) | self._here)

    @property
    def _here(self) -> dict[str, str]:
        return {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.endpoint}

    def new_service(self, cluster: str, name: str, desired: int) -> None:
        """An ECS service of a task that nobody runs."""
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName=cluster)
        container = {"name": "worker", "image": "stepbench", "memory": 64}
        ecs.register_task_definition(family=name, containerDefinitions=[container])
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=name, desiredCount=desired)

    def desired_count(self, cluster: str, name: str) -> int:
        """How many tasks the service is to have."""
        [found] = self.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
        count: int = found["desiredCount"]
        return count

    def role(self, arn: str) -> User:
        """A task with the role `arn`: temporary keys, as ECS would give them to it. Wants the service `sts`."""
        name = arn.rpartition("/")[2]
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        keys = _keys(given["AccessKeyId"], given["SecretAccessKey"])
        return User(name, {**keys, "AWS_SESSION_TOKEN": given["SessionToken"], **self._here})

    def allow(self, name: str, policy: dict[str, Any]) -> None:
        """Replaces what the user `name` may do; holds from the next call on."""
        iam = self.client("iam")
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))


@contextmanager
def enforcing(program: str = __file__) -> Iterator[Account]:
    """An emulator that refuses what a policy does not allow, for the length of the block.

    `program` is this file, or one that calls `main` with more services.
    """
    from orchestrator.local.children import child
    from orchestrator.local.environment import cleaned

    command = [sys.executable, "-P", str(Path(program).resolve())]
    with child("the test's emulator", command, cleaned(os.environ), captured=True) as emulator:
        yield Account(emulator.ready_line(60))


def _keys(access_key: str, secret: str) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret}


def main(*services: str) -> None:
    """Serves `services`, or those that a run needs, until standard input ends."""
    from stepbench.parent import leave_with_parent

    leave_with_parent()
    from orchestrator.local.emulation import application
    from orchestrator.local.http_server import serve

    app = application(*(services or ("s3", "sqs", "ecs", "iam")))
    _enforce()
    server = serve(app)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


def _enforce() -> None:
    """moto's own enforcement knows no conditions, batch calls, keys, or deletion of several objects; mended here."""
    from moto import settings
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.iam.access_control import IAMRequestBase

    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def authorize_all_but_root(self: Any, iam_request: type, resource: str = "*") -> None:
        if self.access_key != ROOT_KEYS[0]:
            authorize(self, iam_request, resource)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize_all_but_root  # type: ignore[assignment] # ours in moto's place
    IAMRequestBase.check_action_permitted = _check_action_permitted  # type: ignore[assignment,method-assign] # ours in moto's place
    # What a signature covers is the SDK's business; moto's own calculation of it stumbles over some headers.
    IAMRequestBase.check_signature = lambda self: None  # type: ignore[method-assign] # ours in moto's place
    _name_resources_of_sqs()
    _name_resources_of_ecs()
    _check_deletion_of_several_objects()


def _check_action_permitted(request: Any, resource: str) -> None:
    """In place of moto's method: raises what AWS would answer."""
    action = AWS_ACTIONS.get(request._action, request._action)
    user, prefix = request._access_key, request._data.get("prefix", [None])[0]
    documents = [json.loads(_text(policy)) for policy in user.collect_policies()]
    statements = [statement for document in documents for statement in document["Statement"]]

    def is_allowed(action: str, resource: str) -> bool:
        return any(_allows(statement, action, resource, prefix) for statement in statements)

    if not is_allowed(action, resource):
        if request._service in ("sqs", "ecs"):
            raise _refusal(user.arn, action.lower() if request._service == "sqs" else action, resource)
        request._raise_access_denied()
    for also_needed, of_what in (*_tagging(request, resource), *_uses_of_keys(request, resource)):
        if not is_allowed(also_needed, of_what):
            raise _refusal(user.arn, also_needed, of_what)


def _text(policy: Any) -> str:
    """Of a role's own policy, of a user's own, or of one that is attached: moto keeps each kind in another way."""
    if isinstance(policy, str):
        return policy
    if isinstance(policy, dict):
        return str(policy["policy_document"])
    return next(str(version.document) for version in policy.versions if version.is_default)


def _allows(statement: dict[str, Any], action: str, resource: str, prefix: str | None) -> bool:
    """IAM's evaluation, as far as the policies here need it: no Deny, one condition, `*` and `?` match anything."""
    conditions = statement.get("Condition", {})
    assert statement["Effect"] == "Allow"
    assert not conditions or (list(conditions) == ["StringLike"] and list(conditions["StringLike"]) == ["s3:prefix"])
    wanted = conditions and conditions["StringLike"]["s3:prefix"]
    return (
        _matches(statement["Action"], action)
        and _matches(statement["Resource"], resource)
        and (not wanted or (prefix is not None and _matches(wanted, prefix)))
    )


def _matches(patterns: str | list[str], text: str) -> bool:
    # fnmatch would read brackets too, but no name here has any.
    return any(
        fnmatch.fnmatchcase(text, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns)
    )


def _refusal(user: str, action: str, resource: str) -> Exception:
    """In AWS's words. SQS writes its actions in lower case there."""
    from moto.ecs.exceptions import ECSException
    from moto.s3.exceptions import S3ClientError
    from moto.sqs.exceptions import SQSException

    service = action.partition(":")[0]
    kind = {"sqs": SQSException, "ecs": ECSException}.get(service, S3ClientError)
    return kind(
        "AccessDeniedException" if service == "ecs" else "AccessDenied",
        f"User: {user} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action",
    )


def _tagging(request: Any, resource: str) -> list[tuple[str, str]]:
    """A tag that comes with an object wants leave of its own, as AWS documents it, and moto asks for none.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    return [("s3:PutObjectTagging", resource)] if "x-amz-tagging" in request._headers else []


def _uses_of_keys(request: Any, resource: str) -> list[tuple[str, str]]:
    """What a request to S3 needs of KMS, as AWS documents it: actions, and ARNs of keys.

    moto keeps the key that an object was written with, and asks nobody for leave to use it.
    https://repost.aws/knowledge-center/s3-large-file-encryption-kms-key
    """
    from moto.s3.models import s3_backends

    bucket, _, name = resource.partition(":::")[2].partition("/")
    if not name:
        return []
    stored = s3_backends[request.account_id]["aws"].buckets[bucket]
    upload = parse_qs(urlsplit(request._path).query).get("uploadId")
    written_with = request._headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    needed = [("kms:GenerateDataKey", written_with)]
    if request._method == "PUT" and upload:  # a part
        needed.append(("kms:Decrypt", stored.multiparts[upload[0]].kms_key_id))
    if request._method == "GET" and name in stored.keys:
        needed.append(("kms:Decrypt", stored.keys[name].kms_key_id))
    return [(action, key) for action, key in needed if key]


def _name_resources_of_sqs() -> None:
    """A queue that does not exist (yet) has its ARN too."""
    from moto.sqs.responses import SQSResponse

    def determine_resource(self: Any) -> str:
        name = self._get_param("QueueName") or self._get_queue_name()
        return f"arn:aws:sqs:{self.region}:{self.current_account}:{name}"

    SQSResponse._determine_resource = determine_resource  # type: ignore[method-assign] # ours in moto's place
    _answer_refusals(SQSResponse, 403)


def _name_resources_of_ecs() -> None:
    """moto names none of them, and does not know how tasks are protected."""
    from moto.core.responses import ActionResult
    from moto.ecs.responses import EC2ContainerServiceResponse

    def determine_resource(self: Any) -> str:
        asked = json.loads(self.body)
        [name] = asked.get("services") or asked.get("tasks") or [asked.get("service") or asked.get("serviceName", "")]
        kind = "task" if "tasks" in asked else "service"
        return f"arn:aws:ecs:{self.region}:{self.current_account}:{kind}/{asked.get('cluster', '')}/{name}"

    def update_task_protection(self: Any) -> Any:
        asked = json.loads(self.body)
        task = {"taskArn": asked["tasks"][0], "protectionEnabled": asked["protectionEnabled"]}
        return ActionResult({"protectedTasks": [task], "failures": []})

    EC2ContainerServiceResponse._determine_resource = determine_resource  # type: ignore[attr-defined] # ours beside moto's
    EC2ContainerServiceResponse.update_task_protection = update_task_protection  # type: ignore[attr-defined] # as above
    _answer_refusals(EC2ContainerServiceResponse, 400)


def _answer_refusals(responses: Any, status: int) -> None:
    """A refusal is an answer in the protocol of the call."""
    from moto.core.exceptions import ServiceException
    from moto.core.responses import ActionResult

    call_action = responses.call_action

    def answer(self: Any) -> Any:
        try:
            return call_action(self)
        except ServiceException as refused:
            _, headers, body = self.serialized(ActionResult(refused))
            return status, headers, body

    responses.call_action = answer


def _check_deletion_of_several_objects() -> None:
    from moto.s3.exceptions import S3ClientError
    from moto.s3.responses import S3Response

    delete_keys = S3Response._bucket_response_delete_keys

    def delete_permitted_keys(self: Any, bucket_name: str, authenticated: bool = True) -> Any:
        self.data["Action"] = "DeleteObject"
        authenticated = True  # moto has asked for leave to delete the bucket's objects, of the bucket
        try:
            for key in re.findall(r"<Key>(.*?)</Key>", self.body.decode()):
                self._authenticate_and_authorize_s3_action(bucket_name=bucket_name, key_name=key)
        except S3ClientError:
            authenticated = False  # answered as S3 does it: 200, with an error for each key
        return delete_keys(self, bucket_name, authenticated)

    S3Response._bucket_response_delete_keys = delete_permitted_keys  # type: ignore[method-assign] # ours in moto's place


if __name__ == "__main__":
    main()
