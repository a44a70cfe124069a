"""The four access reviews: questions to the authorizer, answered at once (k/k `pkg/registry/authorization/*/rest.go`,
`pkg/apis/authorization/validation`)."""

from __future__ import annotations

from collections.abc import Mapping

from tiphys.api import answer
from tiphys.api.authorization import Authorizer
from tiphys.api.call import Call
from tiphys.api.decode import decode_object
from tiphys.api.encoding import to_version
from tiphys.api.object_meta import match_namespace
from tiphys.api.options import write_options
from tiphys.api.request_info import RequestInfo
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.field_selector import Term
from tiphys.base.http import Response
from tiphys.base.status import bad_request, invalid, not_implemented
from tiphys.base.user import User

_RESOURCE = "spec.resourceAttributes"
_PATH = "spec.nonResourceAttributes"


async def subject(call: Call) -> Response:
    """May this user do that?"""
    review, spec = await _read(call)
    errors = _spec_errors(spec) + _user_errors(spec) + _metadata_errors(review["metadata"])
    return await _answer(call, review, errors, _user_of(spec))


async def local_subject(call: Call) -> Response:
    """May this user do that in this namespace?"""
    review, spec = await _read(call)
    metadata = review["metadata"]
    match_namespace(metadata, call.namespace)
    errors = _spec_errors(spec) + _user_errors(spec)
    errors += _metadata_errors({**metadata, "namespace": ""}, "must be empty except for namespace")
    resource = spec.get("resourceAttributes")
    if resource is not None and (resource.get("namespace") or "") != call.namespace:
        errors.append(
            invalid_value(f"{_RESOURCE}.namespace", resource.get("namespace") or "", "must match metadata.namespace")
        )
    if spec.get("nonResourceAttributes") is not None:
        errors.append(
            invalid_value(_PATH, _as_go(spec["nonResourceAttributes"]), "disallowed on this kind of request")
        )
    return await _answer(call, review, errors, _user_of(spec))


async def self_subject(call: Call) -> Response:
    """May I do that?"""
    review, spec = await _read(call)
    return await _answer(call, review, _spec_errors(spec) + _metadata_errors(review["metadata"]), call.user)


async def self_rules(call: Call) -> Response:
    """What may I do in a namespace?"""
    review, spec = await _read(call)
    namespace = spec.get("namespace") or ""
    if not namespace:
        raise bad_request("no namespace on request")
    found = await _authorizer(call).rules(call.user, namespace)
    status: Document = {
        "resourceRules": [_resource_rule(rule) for rule in found.rules if rule.get("resources")],
        "nonResourceRules": [_path_rule(rule) for rule in found.rules if rule.get("nonResourceURLs")],
        "incomplete": found.incomplete,
    }
    if found.errors:
        status["evaluationError"] = ", ".join(found.errors)
    review["status"] = status
    return answer.plain_document(call, 201, to_version(call.resource, review))


async def _read(call: Call) -> tuple[Document, Document]:
    """The review and its spec, which is required and so always an object."""
    review = await decode_object(call, write_options(call.query, "CreateOptions"))
    review.pop("status", None)
    spec: Document = review.get("spec") or {}
    review["spec"] = spec
    return review, spec


async def _answer(call: Call, review: Document, errors: list[FieldError], user: User) -> Response:
    if errors:
        raise invalid(call.kind.group, call.kind.kind, "", errors)
    decision = await _authorizer(call).decide(user, _info(review["spec"]))
    review["status"] = {"allowed": decision.allowed}
    if decision.reason:
        review["status"]["reason"] = decision.reason
    return answer.plain_document(call, 201, to_version(call.resource, review))


def _authorizer(call: Call) -> Authorizer:
    if call.api.authorizer is None:
        raise not_implemented("access reviews need an authorizer")
    return call.api.authorizer


def _info(spec: Document) -> RequestInfo:
    """util.AuthorizationAttributesFrom: without a version, any."""
    resource = spec.get("resourceAttributes")
    if resource is None:
        path = spec.get("nonResourceAttributes") or {}
        return RequestInfo(path.get("path") or "", path.get("verb") or "")

    def text(name: str) -> str:
        return resource.get(name) or ""

    return RequestInfo(
        "", text("verb"), True, text("group"), text("version") or "*", text("resource"), text("namespace"),
        text("name"), text("subresource"), field_selector=_field_selector(resource.get("fieldSelector") or {}),
    )  # fmt: skip


def _field_selector(selector: Document) -> str:
    """As a request would send it; of the requirements only those a field selector can say (In with one value)."""
    if selector.get("rawSelector"):
        return str(selector["rawSelector"])
    wanted = (each for each in selector.get("requirements") or () if each.get("operator") == "In")
    terms = (Term(each.get("key") or "", each["values"][0]) for each in wanted if len(each.get("values") or ()) == 1)
    return ",".join(map(str, terms))


def _user_of(spec: Document) -> User:
    extra: Mapping[str, tuple[str, ...]] = {
        key.lower(): tuple(values or ()) for key, values in (spec.get("extra") or {}).items()
    }
    return User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)


def _spec_errors(spec: Document) -> list[FieldError]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        return [invalid_value(_PATH, _as_go(path), detail)]
    if resource is None and path is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [invalid_value(_RESOURCE, None, detail)]
    return []


def _user_errors(spec: Document) -> list[FieldError]:
    if spec.get("user") or spec.get("groups"):
        return []
    return [invalid_value("spec.user", "", "at least one of user or group must be specified")]


def _metadata_errors(metadata: Document, detail: str = "must be empty") -> list[FieldError]:
    given = {key: value for key, value in metadata.items() if value and key != "managedFields"}
    return [invalid_value("metadata", given, detail)] if given else []


def _as_go(attributes: Document) -> Document:
    """NonResourceAttributes as upstream prints the internal type."""
    return {"Path": attributes.get("path") or "", "Verb": attributes.get("verb") or ""}


def _resource_rule(rule: Document) -> Document:
    names = ("verbs", "apiGroups", "resources", "resourceNames")
    return {name: list(rule[name]) for name in names if rule.get(name)}


def _path_rule(rule: Document) -> Document:
    return {name: list(rule[name]) for name in ("verbs", "nonResourceURLs") if rule.get(name)}


_GROUP = "authorization.k8s.io"
SPECIAL = {
    (f"subjectaccessreviews.{_GROUP}", ""): subject,
    (f"localsubjectaccessreviews.{_GROUP}", ""): local_subject,
    (f"selfsubjectaccessreviews.{_GROUP}", ""): self_subject,
    (f"selfsubjectrulesreviews.{_GROUP}", ""): self_rules,
}
