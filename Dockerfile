# Daybook's processes: one image, one process a container, none of them root.
#
#   docker build -t daybook .
#   docker run --rm daybook --help
#
# What is installed is what `make venv` installs, less what only development needs: requirements-run.lock is the
# part of requirements.lock that runs, by the same hashes.

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/daybook
COPY requirements-run.lock ./
RUN /opt/daybook/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-run.lock

FROM python:3.13-slim
COPY --from=build /opt/daybook /opt/daybook
WORKDIR /srv/daybook
COPY LICENSE daybook.py ./
COPY schemas ./schemas
COPY book ./book
COPY commands ./commands
COPY engine ./engine
COPY detection ./detection
COPY projections ./projections
COPY replay ./replay
COPY gateway ./gateway
COPY console ./console
RUN /opt/daybook/bin/python -m compileall -q /srv/daybook \
    && groupadd --gid 10001 daybook \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/daybook --shell /usr/sbin/nologin daybook \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/daybook
ENV PYTHONPATH=/srv/daybook PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 DAYBOOK_HOME=/var/lib/daybook
USER 10001:10001
VOLUME /var/lib/daybook
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/daybook/bin/python", "-m", "daybook"]
CMD ["--help"]
