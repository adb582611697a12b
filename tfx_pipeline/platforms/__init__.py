"""The pipeline on Kubeflow Pipelines and on Vertex AI."""
