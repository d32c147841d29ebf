"""What orchestrator and worker both speak: settings, messages, samples, payloads, clients."""
