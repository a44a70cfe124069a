"""The default policy as data: `policy/*.policy`, one short paragraph a role.

    kube-system/extension-apiserver-authentication-reader since 25       a role; without a namespace a cluster role
      bound to user:system:kube-scheduler account:kube-system:x as NAME   its binding, named as the role by default
      is part of edit                                                     the label by which it is aggregated
      is made of parts                                                    its rules are those of its parts
      get list: pods pods/log in core apps named web since 34             verbs, resources, groups, names
      get: /healthz /livez until 26                                       verbs and URLs

`since` and `until` are the first and the last Kubernetes minor that has it. Without `in` the group is the core's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tiphys.auth.rbac.known_policy import GROUP
from tiphys.base.document import Document
from tiphys.resource.aggregated_rules import aggregated_rules

API_VERSION = f"{GROUP}/v1"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_PART_OF = "rbac.authorization.k8s.io/aggregate-to-"
_FOLDER = Path(__file__).with_name("policy")
_MINORS = re.compile(r" (since|until) (\d+)$")


def default_policy(minor: int) -> tuple[list[Document], list[Document]]:
    """Every role and every binding a cluster of this minor version begins with. Raises ValueError for a bad file."""
    roles: list[Document] = []
    bindings: list[Document] = []
    for entry in sorted(_FOLDER.glob("*.policy")):
        for lines in _paragraphs(entry.read_text(encoding="utf-8")):
            _read(lines, minor, roles, bindings)
    _aggregate([role for role in roles if role["kind"] == "ClusterRole"])
    return roles, bindings


def _paragraphs(text: str) -> Iterator[list[str]]:
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line and not line.startswith("#")]
        if lines:
            yield lines


def _read(lines: list[str], minor: int, roles: list[Document], bindings: list[Document]) -> None:
    title = _in_force(lines[0], minor)
    if not title:
        return
    namespace, _, name = title.rpartition("/")
    role = _object("Role" if namespace else "ClusterRole", namespace, name)
    roles.append(role)
    rules: list[Document] = []
    for line in filter(None, (_in_force(line.strip(), minor) for line in lines[1:])):
        if line.startswith("bound to "):
            bindings.append(_binding(line.removeprefix("bound to "), role))
        elif line.startswith("is part of "):
            role["metadata"]["labels"][_PART_OF + line.removeprefix("is part of ")] = "true"
        elif line == "is made of parts":
            role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {_PART_OF + name: "true"}}]}
        else:
            rules.append(_rule(line))
    role["rules"] = rules or None


def _in_force(line: str, minor: int) -> str:
    """The line without its versions, empty if it is not of this one."""
    found = _MINORS.search(line)
    while found:
        wrong = minor < int(found[2]) if found[1] == "since" else minor > int(found[2])
        if wrong:
            return ""
        line = line[: found.start()]
        found = _MINORS.search(line)
    return line


def _object(kind: str, namespace: str, name: str) -> Document:
    metadata: Document = {"name": name, "labels": dict(_LABELS), "annotations": {AUTOUPDATE: "true"}}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}


def _rule(line: str) -> Document:
    verbs, colon, rest = line.partition(": ")
    if not colon:
        raise ValueError(f"a rule has verbs, a colon and what they are for: {line!r}")
    rest, _, names = rest.partition(" named ")
    things, _, groups = rest.partition(" in ")
    if things.startswith("/") or (things == "*" and not groups):
        return {"verbs": verbs.split(), "nonResourceURLs": things.split()}
    named = ["" if group == "core" else group for group in groups.split()] or [""]
    rule: Document = {"verbs": verbs.split(), "apiGroups": named, "resources": things.split()}
    if names:
        rule["resourceNames"] = names.split()
    return rule


def _binding(text: str, role: Document) -> Document:
    subjects, _, name = text.partition(" as ")
    metadata = role["metadata"]
    made = _object(f"{role['kind']}Binding", metadata.get("namespace", ""), name or metadata["name"])
    made["roleRef"] = {"apiGroup": GROUP, "kind": role["kind"], "name": metadata["name"]}
    if subjects != "nobody":
        made["subjects"] = [_subject(subject) for subject in subjects.split()]
    return made


def _subject(text: str) -> Document:
    kind, _, name = text.partition(":")
    if kind == "account":
        namespace, _, name = name.partition(":")
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    if kind not in ("user", "group"):
        raise ValueError(f"a subject is a user, a group or an account: {text!r}")
    return {"kind": kind.capitalize(), "apiGroup": GROUP, "name": name}


def _aggregate(roles: list[Document]) -> None:
    """What the aggregation controller would do, until it would have nothing to do."""
    changed = True
    while changed:
        changed = False
        for role in roles:
            rules = aggregated_rules(role, roles) if "aggregationRule" in role else role["rules"]
            if (rules or None) != role["rules"]:
                role["rules"], changed = rules, True
