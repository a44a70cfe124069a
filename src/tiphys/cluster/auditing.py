"""The audit log put together, where one is wanted."""

from __future__ import annotations

from pathlib import Path

from tiphys.base.clock import Clock
from tiphys.base.names import Ids
from tiphys.cluster.failure import ClusterFailure, UsageFailure
from tiphys.cluster.settings import Settings
from tiphys.schema.definitions import Definitions
from tiphys.server.audit.audit import Auditor
from tiphys.server.audit.content import Reader
from tiphys.server.audit.log import AuditLog


def compose(settings: Settings, definitions: Definitions, clock: Clock, ids: Ids) -> Auditor | None:
    """With its log open; None where no log is wanted. Raises UsageFailure, ClusterFailure."""
    policy_file, path = settings.audit_policy_file, settings.audit_log_path
    if not policy_file and not path:
        return None
    if not (policy_file and path):
        missing = "--audit-log-path" if policy_file else "--audit-policy-file"
        raise UsageFailure(f"{missing} is missing: without it nothing would be audited")
    from tiphys.server.audit.policy_file import read_policy  # and YAML: only for those who audit

    try:
        policy = read_policy(Path(policy_file))
    except (OSError, ValueError) as error:
        raise UsageFailure(f"--audit-policy-file {policy_file}: {error}") from None
    log = AuditLog(path, Reader(definitions))
    try:
        log.open()
    except OSError as error:
        raise ClusterFailure(f"--audit-log-path {path}: {error.strerror}; name a file that can be written") from None
    return Auditor(policy, log, clock, ids)
