# One image, three commands: the worker by default, `gunicorn app.http.wsgi:app`, `periodiq app.actors`.
#
# The base is pinned by tag. For builds that can be repeated, add the digest that your registry tells for it: …@sha256:…
FROM python:3.13.18-slim-trixie AS base

# What changes with the lock: a layer of its own, which most releases share.
FROM base AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/preview

# Wheels only, each with its hash: nothing is compiled, nothing is taken that the lock does not name.
# --build-arg REQUIREMENTS=requirements-otel.txt adds what sends traces.
ARG REQUIREMENTS=requirements.txt
COPY ${REQUIREMENTS} ./
# The environment finds the application in a directory of its own.
RUN pip --python /opt/preview/bin/python install --require-hashes --only-binary :all: -r "${REQUIREMENTS}" \
    && /opt/preview/bin/python -c "import site; print('/opt/app/site-packages', file=open(site.getsitepackages()[0] + '/app.pth', 'w'))"


# What changes with each release: the application alone.
FROM dependencies AS application
COPY scripts/tools/build.txt ./
RUN python -m venv /opt/build \
    && pip --python /opt/build/bin/python install --require-hashes --only-binary :all: -r build.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY app app
RUN /opt/build/bin/python -m hatchling build -t wheel -d /src/dist \
    && pip --python /opt/preview/bin/python install --no-deps --no-index --target /opt/app/site-packages /src/dist/*.whl


FROM base AS runtime
# Debian keeps only the newest version of a package, so a pinned one would soon be gone; the base's tag pins the release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates espeak-ng tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
    && python -m pip uninstall --yes --quiet --root-user-action ignore pip \
    && groupadd --gid 10001 preview \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin preview \
    && install -d -o 10001 -g 10001 -m 0750 /data

COPY --from=dependencies /opt/preview /opt/preview
COPY --from=application /opt/app /opt/app
# gunicorn reads its settings from the working directory.
COPY gunicorn.conf.py /srv/preview/
WORKDIR /srv/preview

# Only DATA_DIR, /tmp and /dev/shm are written to: the root may be read-only.
ENV PATH=/opt/app/site-packages/bin:/opt/preview/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    PREVIEW_API_HOST=0.0.0.0

# Last, so that no layer is built again for another revision.
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=https://github.com/OWNER/mobius-preview-worker
LABEL org.opencontainers.image.title="Mobius Preview Worker" \
      org.opencontainers.image.description="Queues, renders and serves short preview videos of board-game tutorials" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
ENV PREVIEW_REVISION=${REVISION}

# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 3000 8000

# The worker's; set HEALTH_PORT=8000 in a container of the API, and --no-healthcheck for the scheduler, which listens nowhere.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as request; request.urlopen('http://127.0.0.1:' + os.environ.get('HEALTH_PORT', '3000') + '/livez', timeout=4)"]

ENTRYPOINT ["tini", "--"]
# One process with a thread for each render and two for the cron tasks; without --processes it would be one for each core.
# Running renders get PREVIEW_SHUTDOWN_GRACE_SECONDS (20) at SIGTERM. Dramatiq's own limit of 600 s lies above its largest
# sensible value.
CMD ["dramatiq", "app.actors", "--processes", "1", "--threads", "4"]
