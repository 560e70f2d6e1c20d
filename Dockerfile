# Two images: `processor` is what runs anywhere; `sandbox` adds the stand-ins and the shop, with the
# enabler's bundle, for one machine.

# `make digests` pins both in images.lock: pass its lines as build arguments.
ARG NODE_IMAGE=node:22-slim
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${NODE_IMAGE} AS enabler
WORKDIR /enabler
COPY enabler/package.json enabler/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY enabler ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS processor
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY processor/requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY processor/main.py ./
COPY processor/src ./src
RUN python -m compileall -q src
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8080)}/health/ready')"]
ENTRYPOINT ["python", "main.py"]
CMD ["serve"]

FROM processor AS sandbox
COPY sandbox ./sandbox
COPY --from=enabler /enabler/public ./enabler/public
EXPOSE 3000 9000 9010 9020
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:9020/_sandbox/clock')"]
ENTRYPOINT ["python", "-m", "sandbox"]
CMD []
