# The image of the pipeline's steps on Kubeflow, and of training on several machines:
#     docker build -t IMAGE .
# and the image of the embedded server, with the folder of models mounted at /models:
#     docker build --target server -t IMAGE .
# Every package of the lock is a wheel or plain Python, so no stage needs a compiler.
FROM python:3.12.13-slim-trixie AS build
RUN python -m venv --without-pip /opt/venv
WORKDIR /src
COPY requirements/py312-tfx121-image.txt lock.txt
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps -r lock.txt \
    && rm -r /opt/venv/lib/python3*/site-packages/tensorflow/include
COPY pyproject.toml README.md LICENSE ./
COPY uvcan_tf/ uvcan_tf/
COPY serving/ serving/
COPY tfx_pipeline/ tfx_pipeline/
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --prefix /opt/uvcan .

FROM python:3.12.13-slim-trixie AS base
# Kubeflow's launcher runs as this user and copies artifacts into the three folders.
RUN useradd --uid 1000 --create-home uvcan && install -d -o uvcan -g uvcan /gcs /minio /s3
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/uvcan /opt/venv
ENV PATH=/opt/venv/bin:$PATH TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3
USER 1000:1000
WORKDIR /home/uvcan

FROM base AS server
EXPOSE 8500 8501
HEALTHCHECK --start-period=120s --interval=10s --timeout=9s CMD ["python", "-m", "serving", "healthy"]
ENTRYPOINT ["uvcan", "serve", "--enable_grpc_healthcheck_service=true"]
CMD ["--model_name=uvcan", "--model_base_path=/models/uvcan", "--rest_api_port=8501"]

FROM base AS steps
ENTRYPOINT ["python"]
