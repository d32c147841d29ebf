from __future__ import annotations

import resource
import sys
import threading

import pytest

from stepbench.address_space import growing_at_most

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how large a process is")
MB = 10**6


def test_what_asks_for_more_gets_a_memory_error_and_the_process_lives_on() -> None:
    with growing_at_most(50 * MB):
        assert len(bytearray(20 * MB)) == 20 * MB
        with pytest.raises(MemoryError):
            bytearray(200 * MB)
    assert len(bytearray(200 * MB)) == 200 * MB


def test_the_limit_that_was_there_stands_again_also_after_an_error() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), growing_at_most(MB):
        bytearray(200 * MB)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_more_than_the_machine_can_count_is_no_limit() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with growing_at_most(2**70):
        assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_threads_do_not_leave_each_others_limit_behind() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)

    def limit_often() -> None:
        for _ in range(300):
            with growing_at_most(500 * MB):
                bytearray(1000)

    threads = [threading.Thread(target=limit_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert resource.getrlimit(resource.RLIMIT_AS) == before
