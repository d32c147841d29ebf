"""What AWS Lambda starts: `python -m awslambdaric worker.lambda_handler.handle`. Nothing else imports this.

Lambda imports it once in each environment, before the first message: the executor's start is in no step's figures.
"""

from __future__ import annotations

from stepbench import configuration
from worker import assembly

handle = assembly.function(configuration.load({}, "worker")).handle
