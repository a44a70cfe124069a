"""What the job controller of a Kubernetes version does (feature gates as they are by default)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    pod_failure_policy: bool
    """JobPodFailurePolicy, beta in 1.26."""
    index_label: bool
    """PodIndexLabel, beta in 1.28."""
    replacement_policy: bool
    """JobPodReplacementPolicy, beta in 1.29: terminating pods are told in the status."""
    backoff_limit_per_index: bool
    """JobBackoffLimitPerIndex, beta in 1.29."""
    success_policy: bool
    """JobSuccessPolicy, beta in 1.31."""
    delays_end: bool
    """From 1.31 on a Job ends in two steps, the second when none of its pods is terminating any more."""
    managed_by: bool
    """JobManagedBy, beta in 1.32."""
    clears_start: bool
    """MutableSchedulingDirectivesForSuspendedJobs, beta in 1.36: a suspended Job has no startTime."""
    longest_backoff: float
    """Seconds; six minutes before 1.28."""


def features_of(minor: int) -> Features:
    return Features(
        pod_failure_policy=minor >= 26,
        index_label=minor >= 28,
        replacement_policy=minor >= 29,
        backoff_limit_per_index=minor >= 29,
        success_policy=minor >= 31,
        delays_end=minor >= 31,
        managed_by=minor >= 32,
        clears_start=minor >= 36,
        longest_backoff=600.0 if minor >= 28 else 360.0,
    )
