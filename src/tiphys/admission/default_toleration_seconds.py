"""DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or unreachable, unless they say
otherwise (kubernetes `plugin/pkg/admission/defaulttolerationseconds`)."""

from __future__ import annotations

from tiphys.admission.plugin import CREATE, UPDATE, AdmitOnly, Base, is_for, items, part
from tiphys.api.admission import Attributes
from tiphys.base.document import Document

TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
SECONDS = 300


class DefaultTolerationSeconds(AdmitOnly, Base):
    NAME = "DefaultTolerationSeconds"

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or not (is_for(attributes, CREATE, "pods") or is_for(attributes, UPDATE, "pods")):
            return
        tolerations = items(part(pod, "spec"), "tolerations")
        lacking = [taint for taint in TAINTS if not any(_tolerates(each, taint) for each in tolerations)]
        tolerations += [_toleration(taint) for taint in lacking]


def _tolerates(toleration: Document, taint: str) -> bool:
    """Says something of this taint's NoExecute, whatever it says."""
    return toleration.get("key", "") in (taint, "") and toleration.get("effect", "") in ("NoExecute", "")


def _toleration(taint: str) -> Document:
    return {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}


PLUGIN = DefaultTolerationSeconds
