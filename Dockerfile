# The image of the pipeline's steps on Kubeflow, and of the embedded server.
FROM python:3.10-slim-bookworm
ENV TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 PYTHONPATH=/app
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-deps -r requirements.txt
COPY . .
ENTRYPOINT ["python"]
