"""Webhooks of either sort, and the rules that say what they and the admission policies are asked about."""

from __future__ import annotations

from tiphys.api.kind import Context
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import NONE, at
from tiphys.kinds.shapes.part import part

_DEFAULTS: dict[str, object] = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": 10}


def default_webhooks(document: Document, context: Context) -> None:
    """SetDefaults_MutatingWebhook and SetDefaults_ValidatingWebhook, as far as they agree."""
    for webhook in document.get("webhooks") or ():
        for field, value in _DEFAULTS.items():
            if webhook.get(field) is None:
                webhook[field] = value
        for field in ("namespaceSelector", "objectSelector"):
            if webhook.get(field) is None:
                webhook[field] = {}
        service = part(webhook, "clientConfig").get("service")
        if service and service.get("port") is None:
            service["port"] = 443
        default_rules(webhook.get("rules"))


def default_rules(rules: list[Document] | None) -> None:
    """A rule is for objects with and without a namespace (SetDefaults_Rule)."""
    for rule in rules or ():
        rule["scope"] = rule.get("scope") or "*"


def default_match(matched: Document | None) -> None:
    """What a policy matches (SetDefaults_MatchResources)."""
    if matched is None:
        return
    matched["matchPolicy"] = matched.get("matchPolicy") or "Equivalent"
    for field in ("namespaceSelector", "objectSelector"):
        if matched.get(field) is None:
            matched[field] = {}
    default_rules(matched.get("resourceRules"))
    default_rules(matched.get("excludeResourceRules"))


def param_kind(document: Document, now: float) -> str:
    found = at(document, "spec.paramKind")
    return f"{found.get('apiVersion') or ''}/{found.get('kind') or ''}" if found else "<unset>"


def param_reference(document: Document, now: float) -> str:
    """`namespace/name`, or any name by selector."""
    found = at(document, "spec.paramRef")
    if not found:
        return "<unset>"
    name = found.get("name") or ("*" if found.get("selector") is not None else NONE)
    return f"{found['namespace']}/{name}" if found.get("namespace") else f"*/{name}"
