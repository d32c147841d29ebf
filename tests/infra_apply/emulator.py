"""An emulator of all services that infra/ uses, in one process and with IAM's policies enforced.

`python tests/infra_apply/emulator.py` prints its port and lives as long as its standard input.
"""

from __future__ import annotations

SERVICES = (
    *("s3", "sqs", "iam", "sts", "kms"),
    *("ec2", "autoscaling", "ecs", "ecr", "application-autoscaling"),
    *("logs", "monitoring", "sns", "budgets", "ssm", "lambda"),
)

if __name__ == "__main__":
    import orchestrator.local.emulation  # noqa: F401 # sets what moto reads at its import
    from tests import emulator
    from tests.infra_apply import gaps

    gaps.close()
    emulator.main(*SERVICES)
