"""An OTLP file parsed into OpenTelemetry's own messages: an unknown field, or one of another type, is an error."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = ("traceId", "spanId", "parentSpanId")


def request_in(text: str) -> ExportTraceServiceRequest:
    """Raises json_format.ParseError, and ValueError for an id that is no hexadecimal text."""
    message = json_format.ParseDict(_with_base64(json.loads(text)), ExportTraceServiceRequest())
    assert isinstance(message, ExportTraceServiceRequest)
    return message


def _with_base64(value: Any) -> Any:
    """OTLP writes ids as hexadecimal texts where protobuf's own JSON has base64."""
    if isinstance(value, list):
        return [_with_base64(one) for one in value]
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(one)).decode() if key in IDS else _with_base64(one)
            for key, one in value.items()
        }
    return value
