"""What tunesmith-docker brings: the exporter `docker`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_docker.settings import DockerSettings


@hookimpl
def exporter():
    return Provider(
        "docker",
        "a build context whose image serves the model behind the OpenAI API by llama.cpp: no root, a health check, offline",
        "tunesmith_docker.exporter:DockerExporter",
        settings=DockerSettings,
        accepts=("model/gguf",),
        produces=("folder/docker",),
        capabilities={"lossless": "full", "device.cpu": "full"},
        facts={"metrics": {"bytes": {"better": "lower", "summary": "of all its files"}}},
        estimator="tunesmith_docker.estimate:estimate",
    )
