"""Clearing a nominated node: victims are told, deleted and spoken of (framework/preemption prepareCandidate)."""

from __future__ import annotations

import logging

from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document, split_key
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.events import EventRecorder
from tiphys.scheduler.framework import Nomination, PodInfo

log = logging.getLogger(__name__)

PODS = ("v1", "pods")
CONDITION_SINCE = 26
"""The first minor with PodDisruptionConditions on."""
UID_SINCE = 29
"""From this minor the event tells whose place it was: by UID only, as names of other namespaces are not for all."""


class Victims:
    """What the scheduler does to pods that have to go, and to nominations that are void."""

    def __init__(self, client: Client, events: EventRecorder, clock: Clock, minor: int) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._minor = minor

    async def remove(self, pod: PodInfo, nomination: Nomination) -> bool:
        """Delete all victims with their own grace period, in favour of the pod. False if one could not be."""
        for victim in nomination.victims:
            if victim.terminating:
                continue
            try:
                await self._remove(pod, victim)
            except Exception as error:
                if isinstance(error, StatusError) and error.code == 404:
                    continue
                log.warning("preempting %s: %s", victim.key, error)
                return False
            whom = f"pod {pod.uid}" if self._minor >= UID_SINCE else "a pod"
            words = f"Preempted by {whom} on node {nomination.node}"
            self._events.event(victim.pod, "Normal", "Preempted", words)
        return True

    async def unpromise(self, pod: PodInfo) -> None:
        """Its `nominatedNodeName` no longer holds."""
        namespace, name = split_key(pod.key)
        patch: Document = {"metadata": {"uid": pod.uid}, "status": {"nominatedNodeName": None}}
        try:
            await self._client.patch(*PODS, name, patch, namespace, kind="strategic", subresource="status")
        except Exception as error:
            gone = isinstance(error, StatusError) and error.code == 404
            (log.debug if gone else log.warning)("nominatedNodeName of %s: %s", pod.key, error)

    async def _remove(self, pod: PodInfo, victim: PodInfo) -> None:
        namespace, name = split_key(victim.key)
        if self._minor >= CONDITION_SINCE:
            scheduler = pod.pod["spec"].get("schedulerName") or ""
            patch = {"metadata": {"uid": victim.uid}, "status": {"conditions": [self._condition(scheduler)]}}
            await self._client.patch(*PODS, name, patch, namespace, kind="strategic", subresource="status")
        await self._client.delete(*PODS, name, namespace, uid=victim.uid)

    def _condition(self, scheduler: str) -> Document:
        return {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{scheduler}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": rfc3339(self._clock.now()),
        }
