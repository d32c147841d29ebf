"""moto's services as one WSGI application, straight from its routes, with what it does differently from AWS mended.

moto's own server finds the service of each request among two hundred and answers through Flask; an emulator of ours
serves one service and knows which. `mended_sqs` and `mended_s3` say what is changed and why; and moto computes the same
names again on every call, 40 % of an SQS call's time, which are remembered here.
"""

from __future__ import annotations

import functools
import importlib
import mmap
import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

# Read by moto at import: a bucket is always the path's first part, whatever the host is called.
os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"

from botocore.exceptions import ClientError
from moto.core.request import Request
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response

from orchestrator.local import mended_s3, mended_sqs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([\w-]+)/aws4_request")

# moto's packages that are not called as signatures call the service.
_PACKAGES = {"monitoring": "cloudwatch"}


class _Request(Request):
    from_wsgi_server = True


def application(*services: str) -> WSGIApplication:
    """The WSGI application of `services` (`s3`, `sqs`, …), which are told apart by a request's signature.

    They are named as signatures name them.
    """
    routes = {service: _routes(service) for service in services}  # imports what is mended below
    _remember(camelcase_to_underscores)
    _remember(method_names_from_class)
    if "sqs" in services:
        mended_sqs.mend()
    if "s3" in services:
        mended_s3.mend()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Not populated: a request that its environment knows is a cycle, and holds its body until the next collection.
        request = _Request(environ, populate_request=False)
        signed = _SERVICE.search(request.headers.get("Authorization", ""))
        handler = _handler(routes.get(signed[1] if signed else services[0], []), request.path)
        return _response(handler, request)(environ, start_response)

    return answer


def _routes(service: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
    """moto's own routes: patterns of paths, in the order in which they are tried."""
    package = _PACKAGES.get(service, service.replace("-", ""))
    paths = importlib.import_module(f"moto.{package}.urls").url_paths
    return [(re.compile(pattern.replace("{0}", "")), handler) for pattern, handler in paths.items()]


def _handler(routes: list[tuple[re.Pattern[str], Callable[..., Any]]], path: str) -> Callable[..., Any] | None:
    return next((handler for pattern, handler in routes if pattern.match(path)), None)


def _response(handler: Callable[..., Any] | None, request: Request) -> Response | HTTPException:
    if handler is None:
        return NotFound()
    try:
        status, headers, content = handler(request, request.raw_url, dict(request.headers))
    except ClientError as error:
        return Response(error.response["Error"]["Message"], status=400)
    except HTTPException as error:
        return error
    whole = [content] if isinstance(content, mmap.mmap) else content
    response = Response(whole, status=status, headers=headers)  # type: ignore[arg-type] # an mmap is as good as bytes
    if request.method == "HEAD" and "content-length" in headers:
        response.headers["Content-Length"] = headers["content-length"]
    return response


def _remember(function: Callable[..., Any]) -> None:
    """Puts a cache before a pure function of moto's, in every module that has it by name."""
    cached = functools.cache(function)
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, function.__name__, None) is function:
            setattr(module, function.__name__, cached)
