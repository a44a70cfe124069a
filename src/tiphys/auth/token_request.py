"""serviceaccounts/token: a token for an account, and one that ends with what it is bound to
(k/k `pkg/registry/core/serviceaccount/storage/token.go`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiphys.api import answer
from tiphys.api.admission import Attributes
from tiphys.api.call import Call
from tiphys.api.decode import decode_kind
from tiphys.api.object_meta import wipe_system_fields
from tiphys.api.options import WriteOptions, write_options
from tiphys.auth.bearer_token import API_AUDIENCES
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value, quoted
from tiphys.base.http import Response
from tiphys.base.status import bad_request, conflict, invalid, not_found
from tiphys.pki.service_account_token import TokenSigner

_GROUP, _KIND = "authentication.k8s.io", "TokenRequest"
_DEFAULT_SECONDS = 60 * 60
_SHORTEST = 10 * 60
_LONGEST = 1 << 32
_PROJECTED_SECONDS = 60 * 60 + 7
"""What the ServiceAccount admission plugin asks for in pods: such tokens are good for a year, so that programs which
read theirs only once go on working, and are counted as stale after the hour."""
_EXTENDED_SECONDS = 365 * 24 * 60 * 60
_TOKEN_ID_SINCE = _POD_NODE_SINCE = 30
_NODE_BINDING_SINCE = 31
_UID_SINCE = 34
"""The minors whose gates ServiceAccountTokenJTI, -PodNodeInfo, -NodeBinding and
TokenRequestServiceAccountUIDValidation are on by default."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The handler of the subresource."""

    signer: TokenSigner
    api_audiences: Sequence[str] = API_AUDIENCES

    async def handle(self, call: Call) -> Response:
        """201 with the token. Raises StatusError 400, 404, 409, 422; like upstream's, a dry run is a true one."""
        options = write_options(call.query, "CreateOptions")
        request = await decode_kind(call, options, _GROUP, "v1", _KIND)
        uid = request["metadata"].get("uid") if call.api.minor >= _UID_SINCE else ""
        wipe_system_fields(request["metadata"])
        await _mutate(call, options, request)
        _match_path(call, request["metadata"])
        account = await _get(call, "serviceaccounts", call.namespace, call.info.name)
        _match_uid(request, account, uid or "")
        self._complete(call, request, account)
        _validate(request["spec"])
        if call.api.admission is not None:
            await call.api.admission.validate(_attributes(call, options, request))
        bound = await _bound_to(call, request["spec"].get("boundObjectRef") or {})
        status = self._sign(call, request["spec"], account, bound)
        return answer.plain_document(call, 201, {**request, "status": status})

    def _complete(self, call: Call, request: Document, account: Document) -> None:
        """What was left out, in the order upstream writes it."""
        now = call.api.clock.now()
        identity = {"name": call.info.name, "namespace": call.namespace}
        if call.api.minor >= _UID_SINCE:
            identity["uid"] = account["metadata"]["uid"]
        request["metadata"] = {**identity, "creationTimestamp": rfc3339(now), **request["metadata"]}
        request.pop("status", None)
        given = request.get("spec") or {}
        seconds = given.get("expirationSeconds")
        request["spec"] = {
            "audiences": given.get("audiences") or list(self.api_audiences),
            "expirationSeconds": _DEFAULT_SECONDS if seconds is None else seconds,
            "boundObjectRef": given.get("boundObjectRef"),
        }

    def _sign(self, call: Call, spec: Document, account: Document, bound: dict[str, Document]) -> Document:
        """The status: admission, which may keep the request, never sees it."""
        now = int(call.api.clock.now())
        audiences, seconds = spec["audiences"], spec["expirationSeconds"]
        ours = all(audience in self.api_audiences for audience in audiences)
        extended = seconds == _PROJECTED_SECONDS and "pod" in bound and ours
        token = self.signer.bound(
            account,
            audiences,
            now,
            _EXTENDED_SECONDS if extended else seconds,
            to=bound,
            warn_after=seconds if extended else 0,
            token_id=call.api.ids.uid() if call.api.minor >= _TOKEN_ID_SINCE else "",
        )
        return {"token": token, "expirationTimestamp": rfc3339(now + seconds)}


async def _mutate(call: Call, options: WriteOptions, request: Document) -> None:
    if call.api.admission is not None:
        await call.api.admission.admit(_attributes(call, options, request))


def _attributes(call: Call, options: WriteOptions, request: Document) -> Attributes:
    attributes = call.attributes("CREATE", options, request, None)
    attributes.kind = _KIND
    return attributes


def _match_path(call: Call, metadata: Document) -> None:
    for field, expected in (("name", call.info.name), ("namespace", call.namespace)):
        given = metadata.get(field)
        if given and given != expected:
            detail = f"must match the service account {field} if specified"
            raise invalid(_GROUP, _KIND, call.info.name, [invalid_value(f"metadata.{field}", given, detail)])
        metadata.pop(field, None)


def _match_uid(request: Document, account: Document, asked: str) -> None:
    found = account["metadata"]["uid"]
    if asked and asked != found:
        why = f"the UID in the token request ({asked}) does not match the UID of the service account ({found})"
        raise conflict(f"{_KIND}.{_GROUP}", account["metadata"]["name"], why)


def _validate(spec: Document) -> None:
    """ValidateTokenRequest."""
    seconds, complaint = spec["expirationSeconds"], ""
    if seconds < _SHORTEST:
        complaint = "may not specify a duration less than 10 minutes"
    if seconds > _LONGEST:
        complaint = "may not specify a duration larger than 2^32 seconds"
    if complaint:
        raise invalid(_GROUP, _KIND, "", [invalid_value("spec.expirationSeconds", seconds, complaint)])


async def _bound_to(call: Call, reference: Document) -> dict[str, Document]:
    """What the token is bound to: nothing, or a pod and its node, a secret, or a node. Raises StatusError."""
    if not reference:
        return {}
    group, version = _group_version(reference.get("apiVersion") or "")
    kind, name = reference.get("kind") or "", reference.get("name") or ""
    if group or kind not in ("Pod", "Secret", "Node"):
        raise bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    if kind == "Node" and call.api.minor < _NODE_BINDING_SINCE:
        gate = "ServiceAccountTokenNodeBinding"
        raise bad_request(f'cannot bind token to a Node object as the "{gate}" feature-gate is disabled')
    found = await _get(call, f"{kind.lower()}s", "" if kind == "Node" else call.namespace, name)
    if kind == "Pod" and (found.get("spec") or {}).get("serviceAccountName") != call.info.name:
        account = quoted(call.info.name)
        raise bad_request(
            f"cannot bind token for serviceaccount {account} to pod running with different serviceaccount name."
        )
    _match_record(reference, kind, name, found)
    return {kind.lower(): found, **(await _node_of(call, found) if kind == "Pod" else {})}


def _match_record(reference: Document, kind: str, name: str, found: Document) -> None:
    asked = reference.get("uid")
    if asked and asked != found["metadata"]["uid"]:
        why = (
            f"the UID in the bound object reference ({asked}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise conflict(kind, name, why)


async def _node_of(call: Call, pod: Document) -> dict[str, Document]:
    """The node a bound pod is on, by name alone if it is no longer there."""
    name = pod["spec"].get("nodeName")
    if not name or call.api.minor < _POD_NODE_SINCE:
        return {}
    return {"node": await call.api.reader.get("", "nodes", "", name) or {"metadata": {"name": name}}}


def _group_version(api_version: str) -> tuple[str, str]:
    """schema.FromAPIVersionAndKind: what cannot be read is as if it were not there."""
    if api_version.count("/") > 1:
        return "", ""
    group, _, version = api_version.rpartition("/")
    return group, version


async def _get(call: Call, plural: str, namespace: str, name: str) -> Document:
    """Raises StatusError 404."""
    found = await call.api.reader.get("", plural, namespace, name)
    if found is None:
        raise not_found(plural, name)
    return found
