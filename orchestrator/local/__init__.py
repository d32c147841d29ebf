"""The embedded stack: emulated SQS and S3 and a worker, all on this machine."""
