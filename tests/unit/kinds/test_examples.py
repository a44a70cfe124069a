"""The manifests of the worked example and two more from it are accepted as they stand (they were, by upstream)."""

from pathlib import Path

import orjson
import pytest
import yaml
from tests.unit.kinds.hooks import context, texts

from tiphys.api.catalog import Catalog
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.schema.decode import STRICT, Decoder
from tiphys.schema.definitions import Definitions

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "day11").glob("*.yaml"))
KINDS = discover("tiphys.kinds", "KIND")

ROLE = """
kind: Role
apiVersion: rbac.authorization.k8s.io/v1
metadata: {namespace: erp, name: erp-user1-role}
rules:
- {apiGroups: ["*"], resources: ["pods/exec"], verbs: ["get", "list", "watch", "create"]}
- {apiGroups: ["apps/v1"], resources: ["deployments"], verbs: ["get", "watch", "list"]}
"""
BINDING = """
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: erp-user1-role-bind, namespace: erp}
subjects: [{kind: ServiceAccount, name: erp-user1, namespace: erp}]
roleRef: {kind: Role, name: erp-user1-role, apiGroup: rbac.authorization.k8s.io}
"""
TEXTS = {path.name: path.read_text() for path in EXAMPLES} | {"role": ROLE, "binding": BINDING}
CASES = [pytest.param(document, id=name) for name, text in TEXTS.items() for document in yaml.safe_load_all(text)]


@pytest.mark.parametrize("minor", [25, 37])
@pytest.mark.parametrize("document", CASES)
def test_examples_are_valid(document: Document, minor: int) -> None:
    definitions, where = Definitions.load(minor), context(minor, "erp")
    group, _, version = document["apiVersion"].rpartition("/")
    resource = Catalog(definitions, KINDS).find_kind(group, version, document["kind"])
    assert resource
    kind, body = resource.kind, orjson.dumps(document)
    made, warnings = Decoder(definitions).decode(body, group, version, kind.kind, validation=STRICT)
    assert warnings == []
    for hook in (kind.default, kind.prepare_create):
        if hook:
            hook(made, where)
    assert kind.validate and texts(kind.validate(made, where)) == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5
