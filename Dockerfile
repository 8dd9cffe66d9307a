# Installed by the recipe of `make install`, then copied without its build tools into an image that needs no shell, no
# writable file system but /tmp and /data, and no root.
FROM python:3.11-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/vigie && install -d -m 700 /data
COPY requirements.txt ./
RUN /opt/vigie/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY storage/ storage/
COPY kpi/ kpi/
COPY bot/ bot/
RUN /opt/vigie/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie
COPY --from=build /opt/vigie /opt/vigie
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/opt/vigie/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    VIGIE_HOST=0.0.0.0 \
    VIGIE_PORT=3000 \
    VIGIE_DATABASE_URL=sqlite:////data/vigie.sqlite3
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['VIGIE_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["vigie"]
CMD ["serve"]
