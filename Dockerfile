# The service as one image: the API, the worker, the migrations and the command line are its commands.
#
#   docker build -t unite .
#   docker run -p 127.0.0.1:8000:8000 -v unite:/var/lib/unite unite
#
# Against a registry the base is pinned to the byte as well, by the digest that the registry tells for the tag:
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:... .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build

# Where pip finds its packages is the base image's business.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

# What is installed: the service alone, or with what is off by default. `--build-arg REQUIREMENTS=otel` is the set of
# requirements/otel.txt; several are separated by spaces.
ARG REQUIREMENTS=service

# The environment has no pip of its own: nothing is installed where the service runs. Wheels alone, for there is no
# compiler here; and what is in them is what the lists of requirements have the hashes of.
RUN --mount=type=bind,source=requirements,target=/tmp/requirements \
    python -m venv --without-pip /opt/unite \
 && for set in ${REQUIREMENTS}; do \
        pip --python /opt/unite/bin/python install --no-cache-dir --no-compile --only-binary :all: \
            --require-hashes -r "/tmp/requirements/${set}.txt" || exit 1; \
    done

# A third of what was installed is data that nothing here asks for: where the world's phone numbers are at home, who
# carries them, and how every service of AWS is spoken to. adapters/aws/clients.py names the services that are.
WORKDIR /opt/unite/lib/python3.11/site-packages
RUN rm -rf phonenumbers/geodata phonenumbers/carrierdata phonenumbers/tzdata \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name events ! -name s3 ! -name secretsmanager ! -name sns ! -name sqs ! -name sts ! -name sso \
        ! -name sso-oidc -exec rm -r {} + \
 && find . -type d \( -name tests -o -name test \) -prune -exec rm -r {} + \
 && find . -name '*.pyi' -delete \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

WORKDIR /srv/unite
COPY sample_leads.csv ./
COPY unite_core unite_core
COPY adapters adapters
COPY entrypoints entrypoints
# Readable for the service, whatever the checkout's own modes are.
RUN chmod -R u=rwX,go=rX . \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .


FROM ${PYTHON_IMAGE}

# A number that no account of the host has by chance, and that volumes keep whatever is rebuilt.
RUN groupadd --gid 10001 unite \
 && useradd --uid 10001 --gid unite --home-dir /var/lib/unite --no-create-home --shell /usr/sbin/nologin unite \
 && install -d -o unite -g unite -m 700 /var/lib/unite

COPY --from=build /opt/unite /opt/unite
COPY --from=build /srv/unite /srv/unite

# Everything is compiled already, and belongs to root: the service can change nothing but its data folder.
ENV PATH=/opt/unite/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    UNITE_DATA_DIR=/var/lib/unite \
    UNITE_HOST=0.0.0.0

WORKDIR /srv/unite
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "entrypoints"]
CMD ["serve"]

# Last, so that a new version is a new label and nothing else.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="unite" \
      org.opencontainers.image.description="Unite, the backend a sales floor runs on" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
