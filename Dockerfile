# The image of the pipeline's steps on Kubeflow, and of the embedded server.
FROM python:3.12-slim-trixie
ENV TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 PYTHONPATH=/app
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt .
COPY requirements/ requirements/
RUN pip install --no-cache-dir --no-deps -r requirements.txt
COPY . .
ENTRYPOINT ["python"]
