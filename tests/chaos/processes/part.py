"""Part `processes`: real programs on an emulated stack, killed at every named point of the protocol and at random."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.local.stack import Stack, embedded_stack
from stepbench.aws import Clients
from stepbench.settings import Settings
from tests.chaos.figures import Figures
from tests.chaos.processes.points import Deaths, rotation
from tests.chaos.processes.round import Round

ROUNDS = 30
SIZES = (1, 4, 1, 1, 1)
"""Deaths in a round: at the begin of its run, in its midst, at a random instant, in its closing, at its very end."""


def run(rounds: int, seed: int) -> Figures:
    """Rounds of the seeds from `seed` on, one after the other on one stack."""
    figures = Figures()
    with remembering_stack() as (stack, clients):
        for number in range(seed, seed + rounds):
            figures.add(play(stack, clients, number, rotation(number, SIZES)))
    return figures


def play(stack: Stack, clients: Clients, seed: int, deaths: Deaths, **variables: str) -> Figures:
    """The figures of one round; a broken promise is told with how to try it again, as far as processes repeat."""
    figures = Figures()
    with TemporaryDirectory(prefix="stepbench-round-") as folder:
        played = Round(stack, clients, Path(folder), seed, deaths, **variables)
        try:
            played.play()
        except Exception as error:  # noqa: BLE001 # whatever it was ends its round, not the harness
            how = f"python -m tests.chaos processes --rounds 1 --seed {seed}"
            figures.failed(error, f"seed {seed}: {type(error).__name__}: {error}\n    {how}")
    figures.tried.update({"rounds": 1, "kills": played.kills.total(), "samples": played.samples, **played.lives})
    figures.killed_at = played.kills
    return figures


@contextmanager
def remembering_stack() -> Iterator[tuple[Stack, Clients]]:
    """A stack whose bucket keeps every version of every key: what is written twice is there twice."""
    with embedded_stack(Settings()) as stack:
        clients = stack.clients()
        clients.s3.put_bucket_versioning(Bucket=stack.bucket, VersioningConfiguration={"Status": "Enabled"})
        yield stack, clients
