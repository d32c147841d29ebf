from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.s3_uris import bucket_and_key, uri


@given(bucket=st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True), key=st.text(min_size=1))
def test_what_is_put_together_comes_apart_again(bucket: str, key: str) -> None:
    assert bucket_and_key(uri(bucket, key)) == (bucket, key)


@pytest.mark.parametrize(
    "text", ["", "bucket/key", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "https://bucket/key", "S3://b/k"]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not s3://BUCKET/KEY") as refusal:
        bucket_and_key(text)
    assert repr(text) in str(refusal.value)
