"""A metrics file as a trace: spans and marks on one time line, for Perfetto and for OpenTelemetry."""
