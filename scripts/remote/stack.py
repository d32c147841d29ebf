"""What a stack says of itself: terraform's outputs."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scripts.docs.tree import ROOT

INFRA = ROOT / "infra"


class NoStack(Exception):
    """Terraform knows of none, in a sentence."""


@dataclass(frozen=True)
class OrchestratorTask:
    """What ECS has to be told to run the orchestrator, and where its log goes."""

    region: str
    cluster: str
    definition: str
    container: str
    subnet_ids: list[str]
    security_group_id: str
    log_group: str

    @classmethod
    def of_outputs(cls, text: str) -> OrchestratorTask:
        """Reads `terraform output -json`. Raises NoStack where it tells of no orchestrator."""
        outputs = {name: output["value"] for name, output in json.loads(text).items()}
        try:
            task = outputs["orchestrator_task"]
            return cls(
                region=outputs["region"],
                cluster=task["cluster"],
                definition=task["task_definition"],
                container=task["container"],
                subnet_ids=task["subnet_ids"],
                security_group_id=task["security_group_id"],
                log_group=outputs["log_group_name"],
            )
        except KeyError as error:
            raise NoStack("terraform knows of no stack in infra/: scripts/deploy makes one") from error


def described(infra: Path = INFRA) -> OrchestratorTask:
    """The stack whose state is in `infra`. Raises NoStack."""
    program = shutil.which("terraform")
    if program is None:
        raise NoStack("terraform is not on PATH: install version 1.9 or newer")
    command = [program, f"-chdir={infra}", "output", "-json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise NoStack(f"terraform output failed: {done.stderr.strip()}")
    return OrchestratorTask.of_outputs(done.stdout)
