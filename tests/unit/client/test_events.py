"""Recording events: client-go `tools/record` (event_test.go, events_cache_test.go)."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import StatusError, not_found
from tiphys.client.events import EventRecorder

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "ns", "uid": "u", "resourceVersion": "9"},
}


class Clock:
    def __init__(self) -> None:
        self.time = 1_654_565_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Sink:
    """Stores events as the API would."""

    def __init__(self) -> None:
        self.events: dict[str, Document] = {}
        self.writes: list[str] = []
        self.refusals: list[BaseException] = []

    async def create(self, api_version: str, plural: str, document: Document, namespace: str) -> Document:
        self._refuse()
        self.writes.append("create")
        self.events[document["metadata"]["name"]] = document
        return document

    async def patch(
        self, api_version: str, plural: str, name: str, patch: Document, namespace: str, *, kind: str
    ) -> Document:
        self._refuse()
        if name not in self.events:
            raise not_found("events", name)
        self.writes.append("patch")
        self.events[name] = {**self.events[name], **patch}
        return self.events[name]

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)


def recorder(host: str = "") -> tuple[EventRecorder, Sink, Clock]:
    sink, clock = Sink(), Clock()
    client: Any = sink
    return EventRecorder(client, "tester", clock, host), sink, clock


async def test_an_event_s_shape() -> None:
    found, sink, clock = recorder("node-1")
    found.event(POD, "Normal", "Started", "Started it", field_path="spec.containers{c}")
    await found.drained()
    name = f"p.{int(clock.time * 1e9):x}"
    assert sink.events == {
        name: {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": "ns"},
            "involvedObject": {
                "kind": "Pod",
                "namespace": "ns",
                "name": "p",
                "uid": "u",
                "apiVersion": "v1",
                "resourceVersion": "9",
                "fieldPath": "spec.containers{c}",
            },
            "reason": "Started",
            "message": "Started it",
            "source": {"component": "tester", "host": "node-1"},
            "firstTimestamp": "2022-06-07T01:23:20Z",
            "lastTimestamp": "2022-06-07T01:23:20Z",
            "count": 1,
            "type": "Normal",
            "eventTime": None,
            "reportingComponent": "tester",
            "reportingInstance": "node-1",
        }
    }


async def test_cluster_objects_speak_in_the_default_namespace() -> None:
    found, sink, _ = recorder()
    found.event({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}, "Normal", "R", "m")
    await found.drained()
    assert [event["metadata"]["namespace"] for event in sink.events.values()] == ["default"]


async def test_repeats_are_counted() -> None:
    found, sink, clock = recorder()
    for _ in range(3):
        found.event(POD, "Warning", "Failed", "no")
        await found.drained()
        clock.time += 10
    assert sink.writes == ["create", "patch", "patch"]
    (event,) = sink.events.values()
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (
        3,
        "2022-06-07T01:23:20Z",
        "2022-06-07T01:23:40Z",
    )


async def test_a_repeat_of_an_event_that_is_gone_is_made_anew() -> None:
    found, sink, _ = recorder()
    found.event(POD, "Warning", "Failed", "no")
    await found.drained()
    sink.events.clear()
    found.event(POD, "Warning", "Failed", "no")
    await found.drained()
    assert sink.writes == ["create", "create"] and [event["count"] for event in sink.events.values()] == [2]


async def test_look_alikes_are_combined() -> None:
    """From the tenth different message on within ten minutes they are one event."""
    found, sink, clock = recorder()
    for number in range(14):
        found.event(POD, "Normal", "Created", f"pod {number}")
        clock.time += 1
        await found.drained()
    messages = [event["message"] for event in sink.events.values()]
    assert messages == [*(f"pod {number}" for number in range(9)), "(combined from similar events): pod 13"]
    assert next(reversed(sink.events.values()))["count"] == 5


async def test_a_source_has_25_words_on_an_object() -> None:
    found, sink, clock = recorder()
    for number in range(40):
        found.event(POD, "Normal", f"Reason{number}", "m")
        await found.drained()
    assert len(sink.events) == 25
    clock.time += 301
    found.event(POD, "Normal", "Again", "m")
    found.event(POD, "Normal", "Never", "m")
    await found.drained()
    assert len(sink.events) == 26


async def test_a_refused_event_is_dropped_and_a_lost_one_tried_again() -> None:
    found, sink, _ = recorder()
    sink.refusals = [StatusError(403, "Forbidden", "namespace is terminating")]
    found.event(POD, "Normal", "A", "m")
    await found.drained()
    sink.refusals = [ConnectionError("away"), ConnectionError("away")]
    found.event(POD, "Normal", "B", "m")
    await found.drained()
    assert [event["reason"] for event in sink.events.values()] == ["B"]


async def test_close_writes_what_is_queued() -> None:
    found, sink, _ = recorder()
    for number in range(5):
        found.event(POD, "Normal", f"R{number}", "m")
    await found.close()
    assert len(sink.events) == 5
