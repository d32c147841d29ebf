"""`trace`: a run as a time line, for Perfetto or for OpenTelemetry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepbench.settings import Settings

HELP = "write a run as a trace, with a track for each chain and executor, for Perfetto or OpenTelemetry"
SETTINGS: tuple[str, ...] | None = ("METRICS_DIR",)

OPEN_WITH = "open it at ui.perfetto.dev or chrome://tracing"
MOST_NAMED = 5
SEND_TO = "send it to a collector's /v1/traces"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and what to write."""
    parser.add_argument(
        "target",
        nargs="?",
        metavar="FOLDER|FILE|RUN_ID",
        help="a metrics file, a run id or a folder with one metrics file; without it, the newest run of --metrics-dir",
    )
    parser.add_argument(
        "--perfetto", type=Path, metavar="FILE", help="write JSON for Perfetto and chrome://tracing to FILE"
    )
    parser.add_argument("--otlp", type=Path, metavar="FILE", help="write OpenTelemetry's spans as OTLP JSON to FILE")
    parser.add_argument("--force", action="store_true", help="write over files that are not of an earlier trace, too")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0. Raises UsageError for a file that is missing or damaged or must not be written, EnvironmentRefused."""
    from orchestrator.report import whole_files
    from orchestrator.report.gather import gather
    from orchestrator.trace import otlp, perfetto
    from orchestrator.trace.spans import trace_of
    from stepbench.errors import UsageError
    from stepbench.names import shown

    wanted = [
        (flag, path, form, what_next)
        for flag, path, form, what_next in (
            ("--perfetto", arguments.perfetto, perfetto, OPEN_WITH),
            ("--otlp", arguments.otlp, otlp, SEND_TO),
        )
        if path is not None
    ]
    if not wanted:
        raise UsageError("nothing to write: --perfetto FILE or --otlp FILE names what")
    if arguments.perfetto == arguments.otlp:
        raise UsageError("--perfetto and --otlp name the same file; name two")
    target = _only_file(arguments.target)
    (file,) = gather(settings.metrics_dir, [target] if target else [])
    for flag, path, form, _ in wanted:
        whole_files.check(flag, path, [file.path])
        if not arguments.force:
            whole_files.check_is_earlier(flag, path, "trace", form.is_ours)
    trace = trace_of(file)
    for flag, path, form, what_next in wanted:
        whole_files.write(flag, path, map(str.encode, form.pieces(trace)))
        print(f"{shown(path)}: run {trace.run_id}, {len(trace.spans)} spans; {what_next}")
    return 0


def _only_file(target: str | None) -> str | None:
    """Of a folder the file in it. Raises UsageError for a folder with none or many: a trace is of one run."""
    from orchestrator.report.locate import NAME_PATTERN
    from stepbench.errors import UsageError
    from stepbench.names import shown

    if target is None or not Path(target).is_dir():
        return target
    found = sorted(Path(target).glob(NAME_PATTERN))
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise UsageError(f"{shown(Path(target))} holds no metrics file; name one, or a run id")
    told = ", ".join(shown(path) for path in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise UsageError(
        f"{shown(Path(target))} holds {len(found)} metrics files, and a trace is of one run: name one of {told}{more}"
    )
