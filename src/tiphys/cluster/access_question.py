"""`tiphys why`, without its words: a question put to a running cluster, and the policy around the answer.

The server decides (a SubjectAccessReview); why is read off the same roles and bindings, over the API like any client.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import ANONYMOUS, with_authenticated_group
from tiphys.auth.rbac.explanation import Explanation, explain
from tiphys.auth.rbac.known_policy import BINDINGS, GROUP, ROLES, KnownPolicy
from tiphys.auth.rbac.rule import ALL
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.base.user import User, service_account_user
from tiphys.client.client import Client
from tiphys.client.cluster_access import from_document
from tiphys.client.discovery import preferred_resources
from tiphys.client.https import HttpsTransport
from tiphys.cluster import kubeconfig_entry
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.failure import ClusterFailure, UsageFailure
from tiphys.cluster.settings import Settings

_API_VERSION = f"{GROUP}/v1"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Question:
    """`what` is a resource as kubectl takes it (`pods`, `po`, `deployments.apps`, with `/NAME`), or a URL's path."""

    user: str
    verb: str
    what: str
    groups: tuple[str, ...] = ()
    namespace: str = "default"
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason` is the server's own. `info` is what was asked, as it was understood."""

    allowed: bool
    reason: str
    user: User
    info: RequestInfo
    explanation: Explanation
    policy: KnownPolicy


async def ask(directory: ClusterDirectory, settings: Settings, question: Question) -> Answer:
    """Raises ClusterFailure when the cluster cannot be asked, UsageFailure for a resource it has not got."""
    client = Client(HttpsTransport(from_document(kubeconfig_entry.admin(directory, settings), directory.pki)))
    try:
        info = await _understood(client, question)
        user = whole_user(question.user, question.groups)
        review, policy = await asyncio.gather(_review(client, user, info), _policy(client))
    except (OSError, StatusError) as error:
        raise ClusterFailure(f"cannot ask cluster {settings.name!r}: {error}; is it running? tiphys status") from None
    finally:
        await client.close()
    return Answer(*review, user, info, explain(policy, user, info), policy)


def whole_user(name: str, groups: tuple[str, ...]) -> User:
    """With the groups everyone of such a name is in."""
    if name == ANONYMOUS.name:
        return User(name, (*groups, *ANONYMOUS.groups))
    namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
    if name.startswith(_ACCOUNT) and account:
        return User(name, (*groups, *service_account_user(namespace, account).groups))
    return with_authenticated_group(User(name, groups))


async def _understood(client: Client, question: Question) -> RequestInfo:
    if question.what.startswith("/"):
        return RequestInfo(question.what, question.verb.lower())
    what, _, name = question.what.partition("/")
    plural, _, group = what.partition(".")
    if plural == ALL:
        return RequestInfo("", question.verb, True, group or ALL, ALL, ALL, question.namespace, name)
    for each in (await preferred_resources(client)).resources:
        if group in ("", each.group) and plural in (each.plural, each.kind.lower(), *each.short_names):
            return RequestInfo(
                "", question.verb, True, each.group, each.version, each.plural,
                question.namespace if each.namespaced else "", name, question.subresource,
            )  # fmt: skip
    raise UsageFailure(f"the cluster has no resource {what!r}; see: kubectl api-resources")


async def _review(client: Client, user: User, info: RequestInfo) -> tuple[bool, str]:
    spec: Document = {"user": user.name, "groups": list(user.groups)}
    if info.is_resource:
        spec["resourceAttributes"] = {
            "verb": info.verb, "group": info.group, "version": info.version, "resource": info.resource,
            "subresource": info.subresource, "namespace": info.namespace, "name": info.name,
        }  # fmt: skip
    else:
        spec["nonResourceAttributes"] = {"path": info.path, "verb": info.verb}
    review: Document = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status = (await client.create(review["apiVersion"], "subjectaccessreviews", review))["status"]
    return status["allowed"], status.get("reason") or ""


async def _policy(client: Client) -> KnownPolicy:
    policy = KnownPolicy()
    for plural in (*ROLES, *BINDINGS):
        for document in (await client.list_all(_API_VERSION, plural))["items"]:
            policy.put(plural, document)
    return policy
