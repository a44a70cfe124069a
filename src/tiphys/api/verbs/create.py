"""create: POST (apiserver `handlers/create.go`, `registry/generic/registry/store.go` Create)."""

from __future__ import annotations

from tiphys.api import answer, object_meta
from tiphys.api.allocation import allocate
from tiphys.api.call import Call
from tiphys.api.change import AFTER_ADMISSION, dedup_owner_references
from tiphys.api.decode import decode_object, defaulted
from tiphys.api.encoding import encode, to_store
from tiphys.api.facts import facts_of
from tiphys.api.options import WriteOptions, write_options
from tiphys.api.query import unsigned_complaint
from tiphys.api.strategy import before_create, fill_system_fields
from tiphys.base.document import Document
from tiphys.base.http import Response
from tiphys.base.status import StatusError, already_exists, bad_request
from tiphys.store.contract import KeyExists

_ATTEMPTS = 8
"""How often a generated name that is taken is replaced by another one."""


async def handle(call: Call) -> Response:
    options = write_options(call.query, "CreateOptions")
    document = await decode_object(call, options)
    metadata = document["metadata"]
    object_meta.wipe_system_fields(metadata)
    object_meta.normalize(metadata)
    object_meta.match_namespace(metadata, call.namespace)
    dedup_owner_references(call, metadata)
    await _mutate(call, options, document)
    if call.kind.allocate is None:
        return answer.one(call, 201, await _create(call, options, document))
    async with call.api.allocation.turn(call):
        return answer.one(call, 201, await _create(call, options, document))


async def _mutate(call: Call, options: WriteOptions, document: Document) -> None:
    """Mutating admission, and defaults once more for what it put in."""
    if call.api.admission is None:
        return
    attributes = call.attributes("CREATE", options, document, None, document["metadata"].get("name") or "")
    attributes.namespace = attributes.namespace or _own_namespace(call, document)
    await call.api.admission.admit(attributes)
    dedup_owner_references(call, document["metadata"], AFTER_ADMISSION)
    if call.kind.default:
        await call.aside(lambda: defaulted(call, options, document))


def _own_namespace(call: Call, document: Document) -> str:
    """A Namespace is admitted as being in itself (handlers.createHandler)."""
    is_namespace = (call.kind.group, call.kind.plural) == ("", "namespaces")
    return document["metadata"].get("name") or "" if is_namespace else ""


async def _create(call: Call, options: WriteOptions, document: Document) -> bytes:
    metadata = document["metadata"]
    if metadata.get("name") or not metadata.get("generateName"):
        return await _create_once(call, options, document)
    pristine = encode(document)
    for attempt in range(_ATTEMPTS):
        try:
            return await _create_once(call, options, document)
        except _NameTaken as taken:
            if attempt == _ATTEMPTS - 1:
                raise taken.error from None
            document = call.api.loads(pristine)
    raise AssertionError("unreachable")


class _NameTaken(Exception):
    def __init__(self, error: StatusError) -> None:
        super().__init__(error.message)
        self.error = error


async def _create_once(call: Call, options: WriteOptions, document: Document) -> bytes:
    """Returns the stored value. A taken name raises _NameTaken if it was generated, else StatusError 409."""
    context = call.context(options)
    metadata = document["metadata"]
    generated = not metadata.get("name") and bool(metadata.get("generateName"))
    fill_system_fields(document, context)
    call.warnings += await call.aside(lambda: before_create(call.resource, document, context))
    if call.kind.allocate is not None:
        await allocate(call, options, document, None)
    if call.api.admission is not None:
        attributes = call.attributes("CREATE", options, document, None, metadata["name"])
        attributes.namespace = attributes.namespace or _own_namespace(call, document)
        await call.api.admission.validate(attributes)
    key = call.resource.key(call.namespace, metadata["name"])
    try:
        return await _store(call, options, key, document)
    except KeyExists:
        error = await _exists(call, key, metadata)
        if generated:
            raise _NameTaken(error) from None
        raise error from None


async def _store(call: Call, options: WriteOptions, key: str, document: Document) -> bytes:
    given = document["metadata"].pop("resourceVersion", None)
    if options.dry_run:
        if await call.api.store.get(key):
            raise KeyExists
        return to_store(document).replace(b'"resourceVersion":"",', b"", 1)
    if given and given.strip("0") and not unsigned_complaint(given):
        # Upstream says the same with code 500 (storage.ErrResourceVersionSetOnCreate); no input is our failure.
        raise bad_request("resourceVersion should not be set on objects to be created")
    record = await call.api.store.create(key, to_store(document), facts_of(call.kind, document))
    return record.value


async def _exists(call: Call, key: str, metadata: Document) -> StatusError:
    """AlreadyExists, which also says so when the object in the way is on its way out."""
    error = already_exists(call.kind.resource, metadata["name"])
    if metadata.get("generateName"):
        # errors.NewGenerateNameConflict: asked to try again
        error.message += ", the server was not able to generate a unique name for the object"
        error.details = {**(error.details or {}), "retryAfterSeconds": 1}
        error.headers = (("Retry-After", "1"),)
    record = await call.api.store.get(key)
    if record and call.api.loads(record.value)["metadata"].get("deletionTimestamp"):
        error.message = f"object is being deleted: {error.message}"
    return error
