"""What tunesmith-kubernetes brings: the exporter `kubernetes`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_kubernetes.settings import KubernetesSettings


@hookimpl
def exporter():
    return Provider(
        "kubernetes",
        "manifests for a model in a container: Deployment with probes and resources, Service, autoscaler",
        "tunesmith_kubernetes.exporter:KubernetesExporter",
        settings=KubernetesSettings,
        accepts=("folder/docker",),
        produces=("folder/kubernetes",),
        capabilities={"lossless": "none", "device.cpu": "full"},
        facts={"metrics": {"memory": {"better": "lower", "summary": "that a container asks for, in bytes"}}},
        estimator="tunesmith_kubernetes.estimate:estimate",
    )
