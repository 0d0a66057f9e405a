# Limbeck on NVIDIA GPUs, from the repository's root; the driver is the host's, CUDA 12 and cuDNN 9 come with TensorFlow's wheels:
#   docker build -f deploy/docker/gpu.Dockerfile -t limbeck:0.1.0-gpu .
#   docker run --gpus all …
# The same as cpu.Dockerfile, but for the engine and what asks for a GPU.
# Bases and packages have exact versions. A digest pins a base still harder: --build-arg NODE_IMAGE=node@sha256:…
ARG NODE_IMAGE=node:20.20.2-bookworm-slim
ARG DEBIAN_IMAGE=debian:12.11-slim

FROM ${NODE_IMAGE} AS build
ARG GXX_VERSION=4:12.2.0-3
ARG PIP_VERSION=23.0.1+dfsg-1
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++=${GXX_VERSION} python3-pip=${PIP_VERSION} \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY deploy/docker/build.mjs deploy/docker/
RUN node deploy/docker/build.mjs dependencies

# Large, and changes with little else than TensorFlow's version. Fails where the binding does not load.
FROM build AS engine
COPY core/errors.ts core/words.ts core/
COPY proto/files.ts proto/liveness.ts proto/processlock.ts proto/
COPY worker/engine worker/engine
COPY deploy/docker/engine.ts deploy/docker/
RUN node deploy/docker/build.mjs engine cuda /out/engines

FROM build AS app
COPY tsconfig.json LICENSES.md ./
COPY core core
COPY proto proto
COPY coordinator coordinator
COPY worker worker
COPY cli cli
COPY examples examples
COPY deploy/docker/health.mjs deploy/docker/
RUN node deploy/docker/build.mjs compile
RUN node deploy/docker/build.mjs assemble /out/limbeck

FROM ${DEBIAN_IMAGE} AS base
ARG TINI_VERSION=0.19.0-1+b3
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini=${TINI_VERSION} \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 limbeck \
  && useradd --uid 10001 --gid 10001 --no-log-init --home-dir /tmp --shell /usr/sbin/nologin limbeck \
  && install --directory --owner=10001 --group=10001 --mode=0770 /state /tls /var/cache/limbeck \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /usr/local/bin/node /usr/local/bin/
COPY --from=build /usr/local/LICENSE /usr/share/doc/node/

FROM app AS materials
COPY deploy/docker/sbom.mjs deploy/docker/
COPY --from=engine /out/engines/wheels.json /out/
COPY --from=base /var/lib/dpkg/status /out/dpkg-status
RUN node deploy/docker/sbom.mjs --wheels /out/wheels.json --dpkg /out/dpkg-status --to /out/sbom.cdx.json

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="limbeck" \
  org.opencontainers.image.description="A distributed trainer for knowledge distillation, on NVIDIA GPUs" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# Root's, and nobody else writes: code, engine, list of materials.
COPY --from=engine /out/engines /opt/limbeck-engines
COPY --from=app /out/limbeck /opt/limbeck
COPY --from=materials /out/sbom.cdx.json /opt/limbeck/
RUN ln -s /opt/limbeck/cli/limbeck.mjs /usr/local/bin/limbeck

# Written are only these, /tmp and /dev/shm: the root file system may be read-only. At /tls a volume of certificates may lie.
ENV NODE_ENV=production \
  LIMBECK_CACHE=/var/cache/limbeck \
  LIMBECK_ENGINES=/opt/limbeck-engines \
  LIMBECK_ENGINE_SOURCE=wheel \
  LIMBECK_ENGINE_DEVICE=cuda
VOLUME ["/state", "/var/cache/limbeck"]
WORKDIR /state
USER 10001:10001
# Here, with these libraries and this user, the engine loads and computes, or there is no image; on the CPU, for there is no GPU yet.
RUN ["limbeck", "doctor", "--engine", "tensorflow"]
# From here on TensorFlow that finds no GPU is an error: LIMBECK_GPU= (empty) allows the CPU.
ENV LIMBECK_GPU=required \
  NVIDIA_VISIBLE_DEVICES=all \
  NVIDIA_DRIVER_CAPABILITIES=compute,utility

HEALTHCHECK --interval=10s --timeout=5s --start-period=300s --retries=6 CMD ["node", "/opt/limbeck/deploy/docker/health.mjs"]
ENTRYPOINT ["/usr/bin/tini", "--", "limbeck"]
CMD ["--help"]
