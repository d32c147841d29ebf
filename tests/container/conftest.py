"""The image, built once from this checkout, and what its containers meet: an emulated stack for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container import containers
from tests.container.containers import Engine
from tests.container.surroundings import Surroundings


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """podman and buildah; skips where there are none, and says why."""
    try:
        return Engine(tmp_path_factory.mktemp("containers"))
    except containers.NoEngine as reason:
        pytest.skip(f"no containers here: {reason}")


@pytest.fixture(scope="session")
def base(engine: Engine) -> str:
    """A base image that containers can be made of here."""
    with containers.alone():
        try:
            name = containers.base_image(engine)
        except containers.NoEngine as reason:
            pytest.skip(f"no containers here: {reason}")
    tried = engine.run("podman", "run", "--rm", name, "true", check=False)
    if tried.returncode != 0:
        pytest.skip(f"podman cannot run a container here: {tried.stderr}")
    return name


@pytest.fixture(scope="session")
def image(engine: Engine, base: str) -> str:
    """The image for this machine's architecture."""
    name = containers.own_name("image")
    with containers.alone():
        engine.run("scripts/build-image", "--engine", "buildah", "--tag", name, "--base-image", base)
    return name


@pytest.fixture
def surroundings(engine: Engine, image: str, tmp_path: Path) -> Iterator[Surroundings]:
    """The embedded stack without a worker, to which containers can be added."""
    made = Surroundings(engine, image, tmp_path)
    yield made
    made.close()
