"""AWS Lambda as far as `--channel lambda` meets it: asynchronous invocations of one function, and its dead letters.

The function is run for real: its processes speak the runtime interface (`tests.lambda_service.runtime`).
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from orchestrator.local.http_server import serve
from tests.lambda_service.runtime import Environment, Invocation

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NAME = "steps"
ARN = f"arn:aws:lambda:us-east-1:123456789012:function:{NAME}"


class LambdaService:
    """One function with so many environments, each of which has one invocation at a time."""

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        folder: Path,
        *,
        sqs: Any,
        dead_letters_url: str,
        environments: int = 2,
        timeout_seconds: float = 60.0,
        names_dead_letters: bool = True,
    ) -> None:
        """`command` starts the runtime. What it says is in `folder`/function.log.

        `names_dead_letters`: whether its configuration tells of them.
        """
        self._names_dead_letters = names_dead_letters
        self.log = folder / "function.log"
        self.invocations: list[str] = []
        """Bodies, as they came."""
        self.wrong: list[str] = []
        """What functions said of invocations that failed."""
        self.throttled = 0
        """So many calls from now on are answered with 429."""
        self.permitted: set[str] | None = None
        """Actions of IAM's that callers may; all of them where it is null."""
        self.deliveries = 1
        """Lambda promises that an event is delivered once at least."""
        self._sqs = sqs
        self._dead_letters_url = dead_letters_url
        self._timeout_seconds = timeout_seconds
        self._events: SimpleQueue[Invocation | None] = SimpleQueue()
        named = {**variables, "AWS_LAMBDA_FUNCTION_NAME": NAME, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"}
        self._environments = [Environment(ARN, command, named, self.log) for _ in range(environments)]
        self._threads = [threading.Thread(target=self._run, args=(each,), daemon=True) for each in self._environments]
        self._server = serve(self._application)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        for thread in self._threads:
            thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def processes(self) -> list[int]:
        """Of all environments."""
        return [pid for environment in self._environments for pid in environment.processes()]

    def close(self) -> None:
        """Ends all of it."""
        for _ in self._threads:
            self._events.put(None)
        for environment in self._environments:
            environment.end()
        for thread in self._threads:
            thread.join(30)
        self._server.shutdown()
        self._server.server_close()

    def _run(self, environment: Environment) -> None:
        while (invocation := self._events.get()) is not None:
            wrong = environment.run(invocation, self._timeout_seconds)
            if wrong is not None:
                self.wrong.append(wrong)
                self._sqs.send_message(QueueUrl=self._dead_letters_url, MessageBody=invocation.body.decode())

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        action = "lambda:GetFunctionConfiguration" if method == "GET" else "lambda:InvokeFunction"
        if self.permitted is not None and action not in self.permitted:
            return _refused(start_response, "403 Forbidden", "AccessDeniedException", _not_authorized(action))
        if (method, path) == ("GET", f"/2015-03-31/functions/{ARN}/configuration"):
            return _answered(start_response, "200 OK", self._configuration())
        if (method, path) == ("POST", f"/2015-03-31/functions/{ARN}/invocations"):
            return self._invoked(environ, start_response)
        return _refused(start_response, "404 Not Found", "ResourceNotFoundException", f"Function not found: {path}")

    def _invoked(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read()
        assert environ["HTTP_X_AMZ_INVOCATION_TYPE"] == "Event"
        if self.throttled > 0:
            self.throttled -= 1
            return _refused(start_response, "429 Too Many Requests", "TooManyRequestsException", "Rate Exceeded.")
        self.invocations.append(body.decode())
        for _ in range(self.deliveries):
            self._events.put(Invocation(body))
        start_response("202 Accepted", [("x-amzn-RequestId", "0")])
        return [b""]

    def _configuration(self) -> dict[str, Any]:
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._dead_letters_url, AttributeNames=["QueueArn"])
        return {
            "FunctionName": NAME,
            "FunctionArn": ARN,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Image",
            "Timeout": int(self._timeout_seconds),
            "MemorySize": 2048,
            "Architectures": ["x86_64"],
        } | (
            {"DeadLetterConfig": {"TargetArn": attributes["Attributes"]["QueueArn"]}}
            if self._names_dead_letters
            else {}
        )


@contextmanager
def lambda_service(*arguments: Any, **named: Any) -> Iterator[LambdaService]:
    service = LambdaService(*arguments, **named)
    try:
        yield service
    finally:
        service.close()


def _not_authorized(action: str) -> str:
    return (
        f"User: arn:aws:iam::123456789012:user/someone is not authorized to perform: {action} on resource: {ARN} "
        f"because no identity-based policy allows the {action} action"
    )


def _answered(start_response: StartResponse, status: str, answer: dict[str, Any]) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def _refused(start_response: StartResponse, status: str, kind: str, message: str) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", kind)])
    return [json.dumps({"Type": "User", "Message": message}).encode()]
