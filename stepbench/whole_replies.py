"""Replies that were cut or damaged on their way, made errors that the SDK retries like any other trouble of a server's.

Python's http.client takes the end of a connection for the end of the headers, and botocore neither counts a body's
bytes nor minds JSON that cannot be read. Such a reply looks like a success of nothing: a send without MessageId, a
receive without messages, an object without ETag, a listing without keys.
"""

from __future__ import annotations

import re
from typing import Any

CODE = "IncompleteReply"
_MESSAGE = "the reply was cut or damaged on its way"
_ERRORS = {
    "json": f'{{"__type": "{CODE}", "message": "{_MESSAGE}"}}'.encode(),
    "rest-xml": f"<Error><Code>{CODE}</Code><Message>{_MESSAGE}</Message></Error>".encode(),
}
"""Bodies of an error, by the service's protocol."""

_FORMS = {
    "content-length": re.compile(r"\d+"),
    "last-modified": re.compile(r".*GMT"),
    "content-range": re.compile(r"bytes \d+-\d+/\d+"),
    "etag": re.compile(r'(W/)?"[^"]*"|[^"W].*'),  # some servers leave the quotes out
}
"""Headers that something is made of, as all of one looks."""
FIELDS: dict[str, tuple[str, ...]] = {
    "SendMessage": ("MessageId",),
    "GetQueueAttributes": ("Attributes",),
    "CreateQueue": ("QueueUrl",),
    "PutObject": ("ETag",),
    "GetObject": ("ETag", "ContentLength"),
    "HeadObject": ("ETag", "ContentLength"),
    "CreateMultipartUpload": ("UploadId",),
    "UploadPart": ("ETag",),
    "CompleteMultipartUpload": ("ETag",),
    "ListObjectsV2": ("IsTruncated",),
    "ListMultipartUploads": ("IsTruncated",),
}
"""What every reply to these calls has, and a caller here builds on."""
BODIES = frozenset(
    {"SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch", "ListQueues"}
    | {"DeleteObjects"}
)
"""Every reply to these calls has a body, be it one without any field."""
EMPTY = frozenset({"DeleteObject", "AbortMultipartUpload", "DeleteQueue"})
"""A reply to these calls tells nothing, but says that it has no body."""
NO_CONTENT = 204


def insist(client: Any) -> None:
    """From now on a reply to `client` that is not whole is an error 500 of the code CODE."""
    events, service = client.meta.events, client.meta.service_model.service_name
    events.register_first(f"before-parse.{service}", _judge_bytes)
    events.register_first(f"needs-retry.{service}", _judge_fields)


def _judge_bytes(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Before anything is read: of half a date or half a letter Python makes an error that looks like a bug."""
    if response_dict["status_code"] < 300 and not _can_be_read(response_dict, operation_model):
        response_dict.update(status_code=500, body=_ERRORS[operation_model.service_model.protocol])


def _judge_fields(response: tuple[Any, dict[str, Any]] | None, operation: Any, **_: Any) -> None:
    if response is None:
        return
    http, parsed = response
    about = parsed["ResponseMetadata"]
    if about["HTTPStatusCode"] < 300 and not all(field in parsed for field in FIELDS.get(operation.name, ())):
        parsed["Error"] = {"Code": CODE, "Message": _MESSAGE}
        about["HTTPStatusCode"] = 500
    if operation.has_streaming_output and parsed.get("Error", {}).get("Code") == CODE:
        http.raw.close()  # nobody is going to read it
    http.status_code = about["HTTPStatusCode"]


def _can_be_read(reply: dict[str, Any], operation: Any) -> bool:
    headers = reply["headers"]
    if not all(form.fullmatch(headers[name]) for name, form in _FORMS.items() if name in headers):
        return False
    length = headers.get("content-length")
    if operation.has_streaming_output:
        return True  # whoever reads it counts
    body: bytes = reply["body"]
    if length is not None and int(length) != len(body) and operation.http["method"] != "HEAD":
        return False
    if operation.name in BODIES and not body:
        return False
    if operation.name in EMPTY and length is None and reply["status_code"] != NO_CONTENT:
        return "transfer-encoding" in headers
    return _is_text(body) if operation.service_model.protocol == "json" else _is_understood(reply, operation)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_understood(reply: dict[str, Any], operation: Any) -> bool:
    """The SDK's own parser tells, which raises Python's own errors: of a digit that has become a letter, ValueError."""
    from botocore.parsers import create_parser

    if not reply["body"]:
        return True
    try:
        create_parser(operation.service_model.protocol).parse(reply, operation.output_shape)
    except Exception:  # noqa: BLE001 # whatever it stumbles over
        return False
    return True
