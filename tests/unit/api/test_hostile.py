"""No input is our failure: whatever comes, the answer is a Status and never a 500 (ours)."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.api.world import ADMIN, KINDS, RecordingAdmission, StillClock, World, config_map, deployment, pod

from tiphys.api.catalog import Catalog
from tiphys.api.request_info import read_request_info
from tiphys.api.service import Api
from tiphys.base.http import Request
from tiphys.base.names import RandomIds
from tiphys.base.status import StatusError
from tiphys.schema.definitions import Definitions
from tiphys.store.memory import MemoryStore

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    ["metadata", "spec", "status", "data", "kind", "apiVersion", "name", "finalizers", "labels"]
)
_BODIES = [config_map(), pod(), deployment(), {"metadata": {"name": "web"}, "target": {"name": "n"}}, {}]
_PATHS = st.builds(
    "/".join,
    st.tuples(
        st.sampled_from(["/api/v1", "/apis/apps/v1", "/apis/autoscaling/v1", "/api/v1/watch", "/apis/policy/v1"]),
        st.sampled_from(["pods", "namespaces/default/pods", "namespaces/default/configmaps", "namespaces"])
        | st.sampled_from(["namespaces/default/deployments", "namespaces/default/horizontalpodautoscalers", "nodes"]),
        st.sampled_from(["", "web", "one", "web/status", "web/scale", "web/binding", "web/eviction", "dev/finalize"]),
    ),
)
_QUERIES = st.lists(
    st.builds(
        "{}={}".format,
        st.sampled_from(
            [
                "limit",
                "continue",
                "resourceVersion",
                "resourceVersionMatch",
                "labelSelector",
                "fieldSelector",
                "dryRun",
                "fieldValidation",
                "timeoutSeconds",
                "gracePeriodSeconds",
                "propagationPolicy",
                "sendInitialEvents",
                "includeObject",
                "pretty",
                "force",
                "uid",
                "watch",
                "orphanDependents",
                "fieldManager",
            ]
        ),
        st.sampled_from(
            ["", "1", "0", "-1", "true", "All", "Exact", "NotOlderThan", "a=b", "a in (b", "!", "x", "%00"]
        )
        | st.text(st.characters(codec="ascii"), max_size=6),
    ),
    max_size=3,
).map("&".join)
_TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/yaml",
        "text/html",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        ";",
    ]
)
_ACCEPTS = st.sampled_from(
    [
        "",
        "*/*",
        "application/yaml",
        "application/json;as=Table;v=v1;g=meta.k8s.io",
        "x",
        "application/json;q=x",
        ",;=",
    ]
)


@st.composite
def _bodies(draw: st.DrawFn) -> bytes:
    body: Any = draw(st.sampled_from(_BODIES)) | draw(st.dictionaries(_FIELDS, _JSON, max_size=2))
    return draw(
        st.sampled_from([b"", orjson.dumps(body), b"\xff\xfe", orjson.dumps(draw(_JSON))]) | st.binary(max_size=9)
    )


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_nothing_is_a_500(data: st.DataObject) -> None:
    asyncio.run(_ask(data))


async def _ask(data: st.DataObject) -> None:
    store = MemoryStore()
    await store.open()
    catalog = Catalog(Definitions.load(37), KINDS, {"api/all": True})
    api = Api(store, catalog, RecordingAdmission(), StillClock(), RandomIds(random.Random(1)))
    world = World(api, store, StillClock(), RecordingAdmission())
    for path, body in (("pods", pod(nodeName="n1")), ("configmaps", config_map())):
        await world.ok("POST", f"/api/v1/namespaces/default/{path}", body)
    for _ in range(4):
        method = data.draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]))
        path, query = data.draw(_PATHS), data.draw(_QUERIES)
        headers = {"content-type": data.draw(_TYPES), "accept": data.draw(_ACCEPTS)}
        request = Request(method, path, query, headers, data.draw(_bodies()), ADMIN)
        try:
            info = read_request_info(method, path, query)
        except StatusError:
            continue
        if not info.is_resource:
            continue
        response = await api.handle(request, info)
        assert response.status != 500, response.body
        if not isinstance(response.body, bytes):
            await response.body.aclose()  # type: ignore[attr-defined]
    await store.close()
