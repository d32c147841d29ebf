"""Calls that AWS did not permit, told by the action that was missing and the statement that allows it."""

from __future__ import annotations

import json
import re

from stepbench.failures import error_code
from stepbench.iam_grants import GRANTS, Role
from stepbench.iam_policy import statement_for
from stepbench.settings import Settings

# 403 and Forbidden: answers to HEAD requests have no body that could tell more.
_REFUSED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException", "403", "Forbidden"})
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9]+:[A-Za-z]+)")
_NAMED_RESOURCE = re.compile(r"on resource: \"?(arn:[^\s\"]+)")
_ACTION_OF_OPERATION = {
    "HeadBucket": "s3:ListBucket",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "HeadObject": "s3:GetObject",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "DeleteObjects": "s3:DeleteObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "GetQueueUrl": "sqs:GetQueueUrl",
}


def refusal(error: BaseException, role: Role, settings: Settings) -> str | None:
    """What to tell a person about a call that AWS did not permit; null for every other error.

    `s3:PutObject was refused; the policy statement that allows it: {…}`
    """
    action = refused_action(error)
    if action is None:
        return None
    statement = statement_for(action, role, settings, _resource_named(error))
    if statement is None:
        return f"{action} was refused"
    proper = next(allowed for allowed in statement["Action"] if allowed.lower() == action.lower())
    return f"{proper} was refused; the policy statement that allows it: {json.dumps(statement)}"


def refused_action(error: BaseException) -> str | None:
    """The action that AWS did not permit, as the answer names it or as the call needs it; null for other errors."""
    if error_code(error) not in _REFUSED_CODES:
        return None
    named = _NAMED_ACTION.search(str(error))
    if named is not None:
        return named[1]
    operation = str(getattr(error, "operation_name", ""))
    if operation in _ACTION_OF_OPERATION:
        return _ACTION_OF_OPERATION[operation]
    known = {action for grants in GRANTS.values() for grant in grants for action in grant.reasons}
    wanted = operation.removesuffix("Batch")
    return next((action for action in sorted(known) if action.partition(":")[2] == wanted), operation or None)


def _resource_named(error: BaseException) -> str | None:
    named = _NAMED_RESOURCE.search(str(error))
    return named[1] if named else None
