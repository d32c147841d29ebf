"""Is any time missing? The parts of every chain are added up again, and what of a large step belongs to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.truth import Row
from benchmarks.truth._adding import apart_ns, chains, unattributed
from benchmarks.truth._runs import Lines, lines_of_run, samples

STEPS = 8
PAYLOAD_MB = 50
LIMIT = 0.10
LARGE = f"a step of {PAYLOAD_MB} MB json"
NOTES = (
    "Two runs of `python -m orchestrator start` on its own embedded stack. Every chain's wall is made three times: as",
    "the run tells it, from the raw stamps of its steps, and from all parts of all steps; every step's total likewise.",
    "Unattributed: other and transit, over the step's total.",
)


def run(rounds: int | None) -> list[Row]:
    """`rounds`: steps of the large payload."""
    steps = rounds or STEPS
    large = lines_of_run(None, f"--steps={steps}", "--serializer=json", f"--payload-mb={PAYLOAD_MB}")
    many = lines_of_run(None, "--chains=12", "--concurrency=6", "--steps=10", "--serializer=json", "--payload-mb=0.01")
    return [sums("chains of 10 kB, 6 at once", many, 12 * 10), sums(LARGE, large, steps), unattributed_row(large)]


def sums(what: str, lines: Lines, steps: int) -> Row:
    """`steps`: how many there must be in chains that are done."""
    done = chains(lines)
    apart = [abs(difference) for chain in done for difference in apart_ns(chain)]
    there = sum(len(chain.steps) for chain in done)
    most = max(apart, default=0)
    figure = f"at most {most} ns apart; chains: {len(done)}, steps: {there}, sums: {len(apart)}"
    return Row(f"{what}: the parts add up", figure, "0 ns", there == steps and most == 0)


def unattributed_row(lines: Lines) -> Row:
    shares: Sequence[float] = [unattributed(sample) for sample in samples(lines)]
    figure = f"median {median(shares):.1%}, at most {max(shares):.1%} of {len(shares)} steps"
    return Row(f"{LARGE}: unattributed", figure, f"at most {LIMIT:.0%}", max(shares) <= LIMIT)
