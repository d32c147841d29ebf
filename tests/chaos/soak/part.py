"""Part `soak`: one worker and one orchestrator at work for a long time, in small troubles; a round is a second."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.local.stack import embedded_stack
from stepbench.settings import Settings
from tests.chaos.faults.proxy import proxies
from tests.chaos.figures import Figures
from tests.chaos.soak.soak import Soak

ROUNDS = 60
BY_THE_CLOCK = True


def run(seconds: int, seed: int, **variables: str) -> Figures:
    """`variables` are for every program."""
    with ExitStack() as block:
        stack = block.enter_context(embedded_stack(Settings()))
        folder = block.enter_context(TemporaryDirectory(prefix="stepbench-soak-"))
        here = stack.environment
        between = block.enter_context(
            proxies(here["AWS_ENDPOINT_URL_S3"], here["AWS_ENDPOINT_URL_SQS"], lambda *_: None)
        )
        soak = Soak(stack, between, Path(folder), seconds, seed, **variables)
        try:
            soak.play()
        except Exception as error:  # noqa: BLE001 # told with the figures so far
            how = f"python -m tests.chaos soak --seconds {seconds} --seed {seed}"
            soak.figures.failed(error, f"seed {seed}: {type(error).__name__}: {error}\n    {how}")
    return soak.figures
