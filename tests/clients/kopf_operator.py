"""The operator that test_kopf runs: it greets, says farewell, tries again, and keeps a journal of Deployments."""

from __future__ import annotations

from typing import Any

import kopf
from kubernetes import client, config

MINE = {"operated": "yes"}


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    config.load_kube_config()
    settings.peering.standalone = True
    settings.posting.enabled = settings.posting.loggers = True
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage()
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage()
    settings.execution.max_workers = 4


@kopf.on.create("configmaps", labels=MINE)
@kopf.on.resume("configmaps", labels=MINE)
async def greet(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
    patch["data"] = {"text": f"Hello, {body['data']['name']}!"}
    kopf.event(body, type="Normal", reason="Greeted", message="It was greeted.")


@kopf.on.update("configmaps", labels=MINE, field="data.name")
async def greet_again(old: str, new: str, patch: kopf.Patch, **_: Any) -> None:
    patch["data"] = {"text": f"Hello, {new}!", "was": old}


@kopf.on.delete("configmaps", labels=MINE)
def say_farewell(name: str, namespace: str, **_: Any) -> None:
    document = {"metadata": {"name": "farewell"}, "data": {"to": name}}
    client.CoreV1Api().create_namespaced_config_map(namespace, document)


@kopf.on.create("configmaps", labels={"retried": "yes"}, id="try-again", backoff=0.1)
async def try_again(retry: int, patch: kopf.Patch, **_: Any) -> None:
    if retry < 2:
        raise kopf.TemporaryError("not yet", delay=0.1)
    patch["data"] = {"attempts": str(retry + 1)}


@kopf.on.field("deployments", field="spec.replicas", labels=MINE)
def note_replicas(old: int | None, new: int, namespace: str, **_: Any) -> None:
    if old is not None:
        _write(namespace, replicas=f"{old} to {new}")


@kopf.on.event("deployments", labels=MINE)
def note_available(status: kopf.Status, namespace: str, **_: Any) -> None:
    if status.get("availableReplicas"):
        _write(namespace, available=str(status["availableReplicas"]))


def _write(namespace: str, **data: str) -> None:
    client.CoreV1Api().patch_namespaced_config_map("journal", namespace, {"data": data})
