"""The chain: every admission plugin in upstream's order (kubernetes `pkg/kubeapiserver/options/plugins.go`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from tiphys.admission.plugin import AdmitOnly, ValidateOnly
from tiphys.api.admission import Attributes, Environment, Plugin
from tiphys.base.discovery import discover

_ORDER = (
    "AlwaysAdmit",
    "NamespaceAutoProvision",
    "NamespaceLifecycle",
    "NamespaceExists",
    "LimitPodHardAntiAffinityTopology",
    "LimitRanger",
    "ServiceAccount",
    "NodeRestriction",
    "TaintNodesByCondition",
    "AlwaysPullImages",
    "ImagePolicyWebhook",
    "PodSecurity",
    "PodNodeSelector",
    "Priority",
    "DefaultTolerationSeconds",
    "PodTolerationRestriction",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "DenyServiceExternalIPs",
    "PodTopologyLabels",
)
_LAST = (
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
    "AlwaysDeny",
)
"""Plugins upstream does not know come between the two; among themselves in the order of their names."""

_PLACES = {name: place for place, name in enumerate(_ORDER)} | {
    name: len(_ORDER) + 1 + place for place, name in enumerate(_LAST)
}

_Phase = Callable[[Attributes], Awaitable[None]]


class Chain:
    """Runs one phase of each enabled plugin after the other; the first refusal ends it."""

    def __init__(self, environment: Environment, disable: Collection[str] = (), enable: Collection[str] = ()) -> None:
        """`disable` names plugins to leave out, `enable` those to have that are off by default.

        Raises ValueError for a name that no plugin has.
        """
        classes = {plugin.NAME: plugin for plugin in discover("tiphys.admission", "PLUGIN")}
        unknown = sorted({*disable, *enable} - set(classes))
        if unknown:
            known = ", ".join(sorted(classes))
            raise ValueError(f"no such admission plugin: {', '.join(unknown)}; there are {known}")
        wanted = {name for name, plugin in classes.items() if getattr(plugin, "ENABLED", True)}
        names = sorted((wanted | set(enable)) - set(disable), key=_place)
        self.plugins: list[Plugin] = [classes[name](environment) for name in names]
        self._admit: list[_Phase] = [each.admit for each in self.plugins if not isinstance(each, ValidateOnly)]
        self._validate: list[_Phase] = [each.validate for each in self.plugins if not isinstance(each, AdmitOnly)]

    @property
    def names(self) -> list[str]:
        """The plugins that run, in their order."""
        return [plugin.NAME for plugin in self.plugins]

    async def admit(self, attributes: Attributes) -> None:
        for phase in self._admit:
            await phase(attributes)

    async def validate(self, attributes: Attributes) -> None:
        for phase in self._validate:
            await phase(attributes)


def _place(name: str) -> tuple[int, str]:
    return _PLACES.get(name, len(_ORDER)), name
