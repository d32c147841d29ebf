from __future__ import annotations

from stepbench.samples import S3Requests


def test_a_transfer_that_was_made_again_counts_as_one_with_a_retry_more() -> None:
    first = S3Requests(requests=1, statuses={"200": 1}, retries=0, connections_opened=0, request_ids=("a",))
    again = S3Requests(requests=3, statuses={"503": 2, "200": 1}, retries=2, connections_opened=1, request_ids=("b",))
    assert first.and_again(again) == S3Requests(
        requests=4, statuses={"200": 2, "503": 2}, retries=3, connections_opened=1, request_ids=("a",)
    )


def test_what_a_client_cannot_tell_stays_untold() -> None:
    assert S3Requests().and_again(S3Requests(requests=1, retries=0)) == S3Requests()
