"""What is applied to a cluster, as the Kubernetes API has it (apps/v1, v1, autoscaling/v2)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tunesmith_kubernetes.settings import KubernetesSettings

USER = 10001  # the image's
MIB = 2**20


def manifests(said: Mapping[str, Any], settings: KubernetesSettings) -> dict[str, dict[str, Any]]:
    """File -> manifest.

    Args:
        said: `serve.json` of the build context.
    """
    name = settings.name or cluster_name(str(said["name"]))
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "tunesmith"}
    chosen = {"app.kubernetes.io/name": name}
    template = {"metadata": {"labels": labels}, "spec": _pod(said, settings)}
    deployment = {
        "selector": {"matchLabels": chosen},
        "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": template,
    }
    service = {"selector": chosen, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    utilization = {"type": "Utilization", "averageUtilization": settings.target_cpu}
    autoscaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": settings.replicas, "maxReplicas": settings.max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}],
    }  # fmt: skip
    made = {"deployment": ("apps/v1", "Deployment", deployment), "service": ("v1", "Service", service),
            "hpa": ("autoscaling/v2", "HorizontalPodAutoscaler", autoscaler)}  # fmt: skip
    return {
        f"{file}.yaml": {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec}
        for file, (api, kind, spec) in made.items()
    }


def _pod(said: Mapping[str, Any], settings: KubernetesSettings) -> dict[str, Any]:
    cpu, memory = f"{round(settings.cpu * 1000)}m", math.ceil(said["memory"] / MIB)
    limit = math.ceil(said["memory"] * settings.memory_headroom / MIB)
    health = {"httpGet": {"path": "/health", "port": "http"}, "timeoutSeconds": 5}
    container = {
        "name": "server", "image": settings.image,
        "ports": [{"name": "http", "containerPort": said["port"]}],
        "env": [{"name": "THREADS", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1"}}}],
        "resources": {"requests": {"cpu": cpu, "memory": f"{memory}Mi"}, "limits": {"memory": f"{limit}Mi"}},
        "startupProbe": {**health, "periodSeconds": 5, "failureThreshold": 120},  # ten minutes to read the model
        "readinessProbe": {**health, "periodSeconds": 5},
        "livenessProbe": {**health, "periodSeconds": 20, "failureThreshold": 6},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
    }  # fmt: skip
    return {
        "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }  # fmt: skip


def cluster_name(text: str) -> str:
    """A label of the Domain Name System (RFC 1123) that is as near to the text as can be."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:53].strip("-") or "model"
