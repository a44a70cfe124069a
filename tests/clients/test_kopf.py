"""A kopf operator on built-in kinds, as `kopf run` starts it: handlers, finalizers, progress in annotations, events.

The operator runs in a process of its own, as an operator does, and is stopped as Kubernetes stops one: by SIGTERM.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

from tests.clients import documents
from tests.clients.conftest import RunningCluster

OPERATOR = Path(__file__).with_name("kopf_operator.py")
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
LAST_HANDLED = "kopf.zalando.org/last-handled-configuration"


@pytest.fixture(scope="module")
def api(cluster: RunningCluster) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(cluster.kubeconfig) as found:
        yield found


@pytest.fixture(scope="module")
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def operated(cluster: RunningCluster, fresh: str) -> Iterator[str]:
    """A namespace with the operator in it, which must end well and never have shown a traceback."""
    command = [sys.executable, "-m", "kopf", "run", str(OPERATOR), "--standalone", "--namespace", fresh]
    process = subprocess.Popen(
        command, env=cluster.command.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield fresh
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said, said


def _until(core: client.CoreV1Api, namespace: str, name: str, wanted: str, value: str) -> client.V1ConfigMap:
    """Watch a ConfigMap until its data holds that value."""
    stream = watch.Watch()
    for told in stream.stream(
        core.list_namespaced_config_map, namespace, field_selector=f"metadata.name={name}", timeout_seconds=30
    ):
        if told["type"] != "DELETED" and (told["object"].data or {}).get(wanted) == value:
            stream.stop()
            return told["object"]
    raise AssertionError(f"{name} never has {wanted}={value}: {core.read_namespaced_config_map(name, namespace)}")


def test_life_of_a_config_map(core: client.CoreV1Api, operated: str) -> None:
    core.create_namespaced_config_map(operated, documents.config_map("greeting", {"operated": "yes"}, name="world"))
    made = _until(core, operated, "greeting", "text", "Hello, world!")
    assert made.metadata.finalizers == [FINALIZER]

    core.patch_namespaced_config_map("greeting", operated, {"data": {"name": "Argo"}})
    changed = _until(core, operated, "greeting", "text", "Hello, Argo!")
    assert changed.data["was"] == "world"
    _handled(core, operated, "greeting")

    events = _events(core, operated, "greeting", "Handler 'greet' succeeded.")
    assert {event.reporting_component or event.source.component for event in events} == {"kopf"}

    core.delete_namespaced_config_map("greeting", operated)
    farewell = _until(core, operated, "farewell", "to", "greeting")
    assert farewell.metadata.finalizers is None
    with pytest.raises(ApiException) as found:
        for _ in range(1000):
            core.read_namespaced_config_map("greeting", operated)
    assert found.value.status == 404


def test_retries_keep_their_progress_in_annotations(core: client.CoreV1Api, operated: str) -> None:
    """The handler fails twice for a while; between the attempts, only the annotation knows."""
    core.create_namespaced_config_map(operated, documents.config_map("stubborn", {"retried": "yes"}))
    done = _until(core, operated, "stubborn", "attempts", "3")
    handled = _handled(core, operated, "stubborn")
    assert "kopf.zalando.org/try-again" not in handled.metadata.annotations
    assert done.metadata.finalizers is None  # nothing is to be done when it goes
    _events(core, operated, "stubborn", "failed")


def test_deployments_and_their_fields(api: client.ApiClient, core: client.CoreV1Api, operated: str) -> None:
    """A field handler on a Deployment's replicas, and one on its status, which our own controller writes."""
    apps = client.AppsV1Api(api)
    document = documents.deployment("web", 1)
    document["metadata"]["labels"]["operated"] = "yes"
    core.create_namespaced_config_map(operated, documents.config_map("journal"))
    apps.create_namespaced_deployment(operated, document)
    _until(core, operated, "journal", "available", "1")
    apps.patch_namespaced_deployment_scale("web", operated, {"spec": {"replicas": 3}})
    _until(core, operated, "journal", "replicas", "1 to 3")
    _until(core, operated, "journal", "available", "3")


def _handled(core: client.CoreV1Api, namespace: str, name: str) -> client.V1ConfigMap:
    """Wait until kopf has written down that it is through with the object as it is."""
    stream = watch.Watch()
    for told in stream.stream(
        core.list_namespaced_config_map, namespace, field_selector=f"metadata.name={name}", timeout_seconds=30
    ):
        found = told["object"]
        known = (found.metadata.annotations or {}).get(LAST_HANDLED, "")
        progress = [
            key
            for key in found.metadata.annotations or {}
            if key.startswith("kopf.zalando.org/") and key != LAST_HANDLED
        ]
        if all(f'"{value}"' in known for value in (found.data or {}).values()) and not progress:
            stream.stop()
            return found
    raise AssertionError(f"{name} is never handled")


def _events(core: client.CoreV1Api, namespace: str, name: str, *said: str) -> list[client.CoreV1Event]:
    """Events about an object, once each of the texts stands in the message of one: they come in no set order."""
    found: list[client.CoreV1Event] = []
    stream = watch.Watch()
    selector = f"involvedObject.name={name}"
    for told in stream.stream(core.list_namespaced_event, namespace, field_selector=selector, timeout_seconds=30):
        found.append(told["object"])
        if all(any(text in event.message for event in found) for text in said):
            stream.stop()
            return found
    raise AssertionError(f"not all of {said} was said, only {[(event.reason, event.message) for event in found]}")
