# One image for both programs: `podman run IMAGE` is `python -m worker`, and `podman run IMAGE orchestrator start` is
# the orchestrator. docs/container.md says how it is built, run and checked; scripts/build-image builds it.

# Debian slim with Python 3.11, by its exact version. Any other base must have `python3` of 3.11 to 3.13 with pip.
ARG BASE_IMAGE=docker.io/library/python:3.11.14-slim-bookworm
# Both are known to every builder; older ones of buildah see them here only where they are declared.
ARG BUILDPLATFORM
ARG TARGETPLATFORM

# ---------------------------------------------------------------------------------------------------------------- build
# Runs on the machine that builds, whatever machine the image is for: wheels are chosen by TARGETARCH and only unpacked,
# and the stage after this one runs nothing. So an arm64 image needs no emulated arm64 to be built on amd64.
FROM --platform=${BUILDPLATFORM} ${BASE_IMAGE} AS build
ARG TARGETARCH
# What pip is configured for on the machine that builds comes as build secrets, which stay in no layer.
ENV PIP_CONFIG_FILE=/run/secrets/pip.conf PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

COPY requirements/build.txt requirements/core.txt requirements/
# `python3` of the venv is a link to that of the base, which is at the same place in the image itself.
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    case "${TARGETARCH}" in \
      amd64) machine=x86_64 ;; \
      arm64) machine=aarch64 ;; \
      *) echo "TARGETARCH is '${TARGETARCH}', and the image is for amd64 and arm64" >&2; exit 1 ;; \
    esac \
    && if [ -f /run/secrets/ca.pem ]; then export PIP_CERT=/run/secrets/ca.pem; fi \
    && python3 -m venv --without-pip /opt/stepbench \
    && python3 -m pip install --no-cache-dir --no-compile --require-hashes --only-binary=:all: \
      --platform "manylinux_2_28_${machine}" --platform "manylinux_2_17_${machine}" \
      --platform "manylinux2014_${machine}" --platform "manylinux_2_24_${machine}" \
      --target "$(/opt/stepbench/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
      --requirement requirements/core.txt \
    && python3 -m pip install --no-cache-dir --no-compile --require-hashes --only-binary=:all: \
      --target /build/tools --requirement requirements/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY stepbench/ stepbench/
COPY worker/ worker/
COPY orchestrator/ orchestrator/
# The root file system is read-only later, so all bytecode is made here; it is never compared with its source again.
RUN PYTHONPATH=/build/tools python3 -m pip --python /opt/stepbench/bin/python install \
      --no-cache-dir --no-compile --no-deps --no-index --no-build-isolation . \
    && /opt/stepbench/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/stepbench/lib \
    && echo 'stepbench:x:10001:10001:stepbench:/tmp:/usr/sbin/nologin' >>/etc/passwd \
    && echo 'stepbench:x:10001:' >>/etc/group

# ---------------------------------------------------------------------------------------------------------------- image
# The platform is said again because older ones of buildah would take the first stage's for every stage.
# hadolint ignore=DL3065
FROM --platform=${TARGETPLATFORM} ${BASE_IMAGE}
COPY --from=build /etc/passwd /etc/group /etc/
COPY --from=build /opt/stepbench /opt/stepbench

# A tmpfs on /tmp is all that is written to; modules are never looked for in the current folder.
ENV PATH=/opt/stepbench/bin:${PATH} HOME=/tmp PYTHONSAFEPATH=1 HEALTH_FILE=/tmp/stepbench-health
WORKDIR /tmp
# Fargate has no tmpfs: it mounts an empty volume, which is root's alone but where the image has a volume at that place.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
VOLUME ["/tmp"]
USER 10001:10001

# 30 s without a turn make the health file old. The file is there when the executors are up.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=2 \
    CMD ["python", "-m", "worker", "--check-health", "/tmp/stepbench-health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m"]
CMD ["worker"]

# Last, so that another commit alone makes no layer anew.
ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="stepbench" \
      org.opencontainers.image.description="Worker and orchestrator that measure chains of steps through S3 and SQS" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
