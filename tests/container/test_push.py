"""What scripts/push-image leaves in a registry that podman pushes to for real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.container import containers
from tests.container.containers import Engine
from tests.container.registry import registry

pytestmark = pytest.mark.infra


def test_one_name_in_the_registry_stands_for_both_architectures_with_their_health_checks(
    engine: Engine, tmp_path: Path
) -> None:
    name = containers.own_name("pushed")
    (tmp_path / "Dockerfile").write_text('FROM scratch\nCOPY Dockerfile /\nHEALTHCHECK CMD ["true"]\n')
    for architecture in ("amd64", "arm64"):
        options = ("--format", "docker", "--platform", f"linux/{architecture}", "--tag", f"{name}-{architecture}")
        engine.run("buildah", "bud", *options, str(tmp_path))

    with registry() as (host, stored):
        insecure = tmp_path / "registries.conf"
        insecure.write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
        engine.environment["CONTAINERS_REGISTRIES_CONF"] = str(insecure)
        try:
            engine.run("scripts/push-image", f"{host}/a/b:1.0", "--image", name, "--engine", "podman")
        finally:
            del engine.environment["CONTAINERS_REGISTRIES_CONF"]

    listed = stored.manifest("1.0")["manifests"]
    assert sorted(entry["platform"]["architecture"] for entry in listed) == ["amd64", "arm64"]
    for entry in listed:
        architecture = entry["platform"]["architecture"]
        assert stored.manifest(entry["digest"]) == stored.manifest(f"1.0-{architecture}")
        config = json.loads(stored.blobs[stored.manifest(entry["digest"])["config"]["digest"]])
        assert config["architecture"] == architecture
        assert config["config"]["Healthcheck"]["Test"] == ["CMD", "true"]
    assert not engine.run("podman", "images", "--quiet", "localhost/stepbench-push").stdout
