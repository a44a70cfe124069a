"""Which rules for pods a Kubernetes version has, as its feature gates stand by default (PodValidationOptions)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class PodRules:
    """Computed once a version. `is_pod`: a Pod itself, not a template."""

    minor: int
    is_pod: bool
    relaxed_env_names: bool
    relaxed_dns_search: bool
    zero_sleep: bool
    sidecars: bool
    sidecar_resize_policy: bool
    pod_resources: bool
    user_namespaces: bool
    host_ips: bool
    file_keys: bool
    restart_rules: bool


@lru_cache(maxsize=64)
def rules_for(minor: int, is_pod: bool) -> PodRules:
    """The rules of a minor version: each line names the first one whose default has the feature on."""
    return PodRules(
        minor=minor,
        is_pod=is_pod,
        relaxed_env_names=minor >= 32,  # RelaxedEnvironmentVariableValidation
        relaxed_dns_search=minor >= 33,  # RelaxedDNSSearchValidation
        zero_sleep=minor >= 33,  # PodLifecycleSleepActionAllowZero
        sidecars=minor >= 29,  # SidecarContainers
        sidecar_resize_policy=minor >= 33,  # InPlacePodVerticalScaling
        pod_resources=minor >= 34,  # PodLevelResources
        user_namespaces=minor >= 33,  # UserNamespacesSupport
        host_ips=minor >= 29,  # PodHostIPs
        file_keys=minor >= 35,  # EnvFiles
        restart_rules=minor >= 35,  # ContainerRestartRules
    )
