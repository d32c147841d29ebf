"""`report`: what metrics files say, on the terminal, as a page for a browser, as tables and as pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.page.asked import Asked
    from orchestrator.page.material import Material
    from stepbench.settings import Settings

HELP = "report runs and experiments from their metrics files: as a summary, a page for a browser, tables or pictures"
SETTINGS: tuple[str, ...] | None = ("METRICS_DIR",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs, and in which form."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="FOLDER|FILE|RUN_ID",
        help="the folder of an experiment or of metrics files, metrics files or run ids, all in one report; without "
        "any, the newest run of --metrics-dir",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    files = parser.add_argument_group("files", "written in place of the summary, beside one another if wanted")
    files.add_argument("--html", type=Path, metavar="FILE", help="a page that any browser opens, without a network")
    files.add_argument(
        "--csv",
        type=Path,
        metavar="FOLDER|FILE.csv",
        help="the flat tables, a file each; of FILE.csv, the samples alone",
    )
    files.add_argument(
        "--parquet", type=Path, metavar="FOLDER|FILE.parquet", help="the same as Parquet files"
    )  # fmt: skip
    files.add_argument("--json-tables", type=Path, metavar="FILE", help="the same as one JSON object")
    files.add_argument("--png", type=Path, metavar="FOLDER", help="the pictures of the page, a file each")
    files.add_argument("--force", action="store_true", help="write over files that are not of an earlier report, too")
    costs = parser.add_argument_group("cost, for --html")
    costs.add_argument("--region", metavar="REGION", help="region to cost the runs in; the runs' own where not given")
    costs.add_argument("--instance-type", metavar="TYPE", help="cost the steps' time too, as `cost --help` tells")
    costs.add_argument("--prices", type=Path, metavar="FILE", help="a price file in place of the one that is shipped")


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """0; raises UsageError for what is missing, damaged or must not be written, all of it at once."""
    asked = _asked(arguments)
    if asked.anything:
        return _write(settings, arguments, asked)
    return _show(settings, arguments)


def _asked(arguments: argparse.Namespace) -> Asked:
    """Raises UsageError for flags that go with files where none is asked for, and the other way round."""
    from orchestrator.page.asked import Asked
    from stepbench.errors import UsageError

    names = ("html", "csv", "parquet", "json_tables", "png")
    asked = Asked(**{name: getattr(arguments, name) for name in names}, force=arguments.force)
    if asked.anything and arguments.json:
        raise UsageError("--json prints the summary, and what is asked for are files: leave out one of them")
    for name in ("region", "instance_type", "prices"):
        if getattr(arguments, name) is not None and asked.html is None:
            raise UsageError(f"--{name.replace('_', '-')} is for the page: add --html FILE, or use the command cost")
    if asked.force and not asked.anything:
        raise UsageError("--force is about files, and none is to be written: add --html FILE, or leave it out")
    return asked


def _write(settings: Settings, arguments: argparse.Namespace, asked: Asked) -> int:
    asked.check_needs()
    from orchestrator.cost import prices
    from orchestrator.cost.costs import Wanted
    from orchestrator.page import material
    from orchestrator.page.deliver import deliver
    from orchestrator.run.plan import utc_now
    from stepbench.names import shown

    known = prices.read(arguments.prices or prices.SHIPPED)
    wanted = Wanted(region=arguments.region, instance_type=arguments.instance_type)
    found = material.read(settings.metrics_dir, arguments.targets)
    for problem in found.problems:
        print(f"left out: {problem}", file=sys.stderr)
    for item in deliver(found, asked, known, wanted, utc_now()):
        print(f"{shown(item.path)}: {item.says}")
    return 0


def _show(settings: Settings, arguments: argparse.Namespace) -> int:
    """An experiment's result, or one summary over all files."""
    found = _material(settings, arguments)
    if found is not None and found.result is not None:
        from orchestrator.experiment import terminal as experiment_terminal

        if arguments.json:
            print(found.result.model_dump_json())
        else:
            experiment_terminal.show(found.result, sys.stdout)
        return 0

    from orchestrator.report.gather import gather
    from orchestrator.report.statistics import summarise
    from orchestrator.report.terminal import show

    files = found.files if found is not None else gather(settings.metrics_dir, arguments.targets)
    for problem in found.problems if found is not None else ():
        print(f"left out: {problem}", file=sys.stderr)
    summary = summarise(files)
    if arguments.json:
        print(summary.model_dump_json())
    else:
        show(summary, sys.stdout)
    return 0


def _material(settings: Settings, arguments: argparse.Namespace) -> Material | None:
    """Null where no folder is named: then nothing but the files' own package is needed."""
    if not any(Path(target).is_dir() for target in arguments.targets):
        return None
    from orchestrator.page import material, needs

    needs.check(["a folder"], ["numpy"])
    return material.read(settings.metrics_dir, arguments.targets)
