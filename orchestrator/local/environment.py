"""What the processes of the embedded stack see of the user's environment: all of it, but nothing that speaks of AWS.

A profile, an endpoint, a session token, a proxy or a configuration file of the user's would send some of the stack's
calls elsewhere or have them refused. Settings reach a worker as flags, which win over the environment and `.env`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from stepbench.package_path import with_our_packages
from stepbench.settings import Settings, flag_of, variables_of

# The SDK's documentation uses this key in its examples; the emulators ask for no secret.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "embedded"}
NOTHING_ELSE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# An empty value means "not set", and wins over `.env`.
NOT_SET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "ORCH_RESULTS_QUEUE_URL", "ORCH_FLEET")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
HOST = "127.0.0.1"


def cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` without AWS's variables, ours, moto's and proxies, with the SDK kept from files and metadata."""
    ours = {variable for field in Settings.model_fields for variable in variables_of(field)}
    kept = {
        name: value
        for name, value in environment.items()
        if name not in ours and not name.startswith(("AWS_", "ORCH_", "MOTO_")) and name.lower() not in PROXIES
    }
    return {**with_our_packages(kept), **NOTHING_ELSE}


def for_second_terminal(
    stack: Mapping[str, str], environment: Mapping[str, str], env_file: Mapping[str, str]
) -> dict[str, str]:
    """Variables that bring a terminal with an environment and a `.env` like these to the stack, and to nothing else.

    Proxies stay as they are, but are kept away from this machine's own addresses. What nobody has set is left out: an
    empty AWS_PROFILE is no profile for us, but one without a name for other programs that use the SDK.
    """
    in_the_way = [name for name in NOT_SET if environment.get(name) or env_file.get(name)]
    lines = {**stack, **dict.fromkeys(in_the_way, ""), **NOTHING_ELSE}
    if any(name.lower() in PROXIES[:3] for name in environment):
        known = environment.get("no_proxy") or environment.get("NO_PROXY")
        lines["NO_PROXY"] = lines["no_proxy"] = f"{known},{HOST}" if known else HOST
    return lines


def worker_flags(settings: Settings) -> list[str]:
    """All of a worker's settings as flags; an empty one says "not set", whatever the environment or `.env` says."""
    flags = []
    values = settings.model_dump(mode="json")
    for field, info in Settings.model_fields.items():
        assert isinstance(info.json_schema_extra, dict)
        programs = info.json_schema_extra["programs"]
        assert isinstance(programs, list)
        if "worker" in programs:
            value = values[field]
            flags.append(f"{flag_of(variables_of(field)[0])}={'' if value is None else value}")
    return flags
