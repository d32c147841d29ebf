"""Is any time missing? The parts of every chain are added up again, and what of a large step belongs to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.truth import Row
from benchmarks.truth._adding import Lines, apart_ns, chains, run_of, samples, unattributed

STEPS = 8
PAYLOAD_MB = 50
LIMIT = 0.10
LARGE = f"a step of {PAYLOAD_MB} MB json"
NOTES = (
    "Two runs of `python -m orchestrator start` on its own embedded stack. Every chain's wall is made three times: as the",
    "run tells it, from the raw stamps of its steps, and from all parts of all steps; every step's total likewise.",
    "Unattributed: other and transit, over the step's total.",
)


def run(rounds: int | None) -> list[Row]:
    """`rounds`: steps of the large payload."""
    large = run_of("--chains=1", f"--steps={rounds or STEPS}", "--serializer=json", f"--payload-mb={PAYLOAD_MB}")
    many = run_of("--chains=12", "--concurrency=6", "--steps=10", "--serializer=json", "--payload-mb=0.01")
    return [_sums("12 chains of 10 kB, 6 at once", many), _sums(LARGE, large), _unattributed(large)]


def _sums(what: str, lines: Lines) -> Row:
    apart = [abs(difference) for chain in chains(lines) for difference in apart_ns(chain)]
    figure = f"{len(chains(lines))} chains, {len(samples(lines))} steps, {len(apart)} sums: at most {max(apart)} ns apart"
    return Row(f"{what}: its parts add up", figure, "0 ns", max(apart) == 0)


def _unattributed(lines: Lines) -> Row:
    shares: Sequence[float] = [unattributed(sample) for sample in samples(lines)]
    figure = f"median {median(shares):.1%}, at most {max(shares):.1%} of {len(shares)} steps"
    return Row(f"{LARGE}: unattributed", figure, f"at most {LIMIT:.0%}", max(shares) <= LIMIT)
