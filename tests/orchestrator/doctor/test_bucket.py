from __future__ import annotations

import pytest

from orchestrator.doctor.bucket import Stored, judged
from stepbench.settings import of_values

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"
NONE, AES, KMS = Stored(None, None), Stored("AES256", None), Stored("aws:kms", KEY)


@pytest.mark.parametrize(
    ("settings", "stored", "default", "echoes", "state", "told"),
    [
        ({}, AES, AES, True, "ok", "the object got AES256"),
        ({}, NONE, NONE, False, "note", "does not tell"),
        ({}, KMS, KMS, True, "note", "KMS_KEY_ID"),
        ({"SSE": "s3"}, AES, NONE, True, "ok", "the bucket's default is none"),
        ({"SSE": "s3"}, KMS, KMS, True, "wrong", "--sse (SSE)"),
        ({"SSE": "s3"}, NONE, NONE, True, "wrong", "got none"),
        ({"SSE": "s3"}, NONE, NONE, False, "note", "does not tell"),
        ({"SSE": "kms", "KMS_KEY_ID": KEY}, KMS, AES, True, "ok", KEY),
        ({"SSE": "kms", "KMS_KEY_ID": "1234"}, KMS, AES, True, "ok", KEY),
        ({"SSE": "kms", "KMS_KEY_ID": "alias/mine"}, KMS, AES, True, "ok", KEY),
        ({"SSE": "kms", "KMS_KEY_ID": "5678"}, KMS, AES, True, "wrong", "--kms-key-id (KMS_KEY_ID)"),
        ({"SSE": "kms"}, AES, AES, True, "wrong", "asks for aws:kms"),
    ],
)
def test_what_was_asked_for_is_held_against_what_the_object_got(
    settings: dict[str, str], stored: Stored, default: Stored, echoes: bool, state: str, told: str
) -> None:
    check = judged(of_values(settings), stored, default, echoes=echoes)
    assert check.state == state
    assert told in f"{check.found} {check.mend}"


def test_a_default_that_may_not_be_seen_is_told_as_that() -> None:
    check = judged(of_values({}), AES, NONE, echoes=True, untold="s3:GetEncryptionConfiguration was refused")
    assert (check.state, "its default is not seen: s3:GetEncryptionConfiguration" in check.found) == ("ok", True)
