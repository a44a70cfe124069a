"""What a kind is, beyond upstream's definition of it: facts and hooks, as data.

Each built-in kind is one file in `kinds/` that exports `KIND = Kind(...)`. The schema of the running version
says which of `versions` are served; everything else the generic verbs need is here. Hooks work on the wire
document in the kind's storage version, in place where they change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.base.names import Ids
from tiphys.base.status import qualified
from tiphys.base.user import User

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Context:
    """What a hook may know of the request beside the document."""

    clock: Clock
    ids: Ids
    user: User
    minor: int
    """The Kubernetes minor version served: 25 to 37."""
    namespace: str = ""
    dry_run: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    """Settings of the cluster, as `service-subnet`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the Table form (`kubectl get`). `cell(document, now)` gives a JSON value; `now` in seconds.

    `priority` above 0 is shown with `-o wide` only. `type` is an OpenAPI type: string, integer, boolean, date.
    `since` and `until` are the first and the last Kubernetes minor that has the column.
    """

    name: str
    cell: Callable[[Document, float], Any]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    since: int = 0
    until: int = 1000


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object. `status` and `scale` are generic; others name the handler that `server` gives them.

    `kind` is (group, version, kind) of the body when it is not the parent's, as (autoscaling, v1, Scale).
    `since` is the first Kubernetes minor that serves it.
    """

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    kind: tuple[str, str, str] | None = None
    since: int = 0
    prepare: Callable[[Document, Document, Context], None] | None = None
    """(new, old): for a path that writes the object itself by rules of its own, as approval does. All it may not
    change it takes from old."""
    validate: Callable[[Document, Document, Context], Sequence[FieldError]] | None = None
    """(new, old): the whole of it, beyond metadata."""


STATUS = Subresource("status")
SCALE = Subresource("scale", kind=("autoscaling", "v1", "Scale"))


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the scale subresource finds its parts, as dotted paths from the document's root."""

    replicas: str = "spec.replicas"
    status_replicas: str = "status.replicas"
    selector: str = "spec.selector"


Hook = Callable[[Document, Context], None]
UpdateHook = Callable[[Document, Document, Context], None]
Validator = Callable[[Document, Context], Sequence[FieldError]]
UpdateValidator = Callable[[Document, Document, Context], Sequence[FieldError]]
Allocate = Callable[[Document, Document | None, Sequence[Document], Context], Sequence[FieldError]]
Converter = Callable[[Document], Document]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Facts and behaviour of one kind. Everything has a default that is right for a plain kind."""

    group: str = ""
    kind: str
    plural: str
    singular: str = ""
    """Defaults to the kind in lower case."""
    namespaced: bool = True
    versions: tuple[str, ...] = ("v1",)
    """Every version any supported Kubernetes served, most preferred first; the schema decides which are there."""
    storage_version: str = "v1"
    """Kept, validated and defaulted in this version if the schema has it, else in the first of `versions` it has."""
    storage: tuple[str, str] | None = None
    """(group, plural) of the kind under whose keys and in whose shape these objects are kept, for a kind that is
    another view of it (events.k8s.io): hooks get documents of that shape, `convert` has every version."""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    columns: tuple[Column, ...] = ()
    """After NAME, unless one of them is called Name; without any, NAME and CREATED AT are shown. The catalog leaves
    those of the running minor version."""
    scale: ScalePaths | None = None
    has_generation: bool = True
    """metadata.generation counts changes beyond metadata and status, where upstream's strategy does."""

    default: Hook | None = None
    """Fill in defaults; runs when a body is decoded and again after mutating admission. Must be idempotent."""
    prepare_create: Hook | None = None
    """Beyond the generic part (status dropped where there is a status subresource)."""
    prepare_update: UpdateHook | None = None
    """(new, old): beyond the generic part (status kept from old where there is a status subresource)."""
    prepare_status: UpdateHook | None = None
    """(new, old) for a write to /status: beyond the generic part (all but status and metadata kept from old)."""
    validate: Validator | None = None
    """Beyond metadata, which is validated for every kind."""
    validate_update: UpdateValidator | None = None
    """(new, old): the whole of it, immutability included; `validate` is not called besides."""
    validate_status: UpdateValidator | None = None
    allocate: Allocate | None = None
    """(new, old or None, all objects of the kind): fill in what must be unique among them, as service addresses.
    Runs after validation; writes of such a kind go one at a time."""
    name_errors: Callable[[str, bool], Sequence[str]] | None = None
    """(name, is_prefix): what is wrong with it; default DNS-1123 subdomain."""
    fields: Callable[[Document], dict[str, str]] | None = None
    """Selectable fields beyond metadata.name and metadata.namespace, always all of them, empty where unset."""
    grace_period: Callable[[Document, int | None], int] | None = None
    """(document, asked): seconds between delete and removal, 0 for at once; for pods."""
    orphans_by_default: bool = False
    """Dependents are orphaned when a delete names no propagation policy (legacy kinds only)."""
    warnings: Callable[[Document, Document | None], Sequence[str]] | None = None
    """(new, old or None): texts for Warning headers."""
    convert: dict[str, tuple[Converter, Converter]] = field(default_factory=dict)
    """version: (to it from `storage_version`, from it), for versions of another shape; of one shape, one pair."""
    returns_object_on_delete: bool = False
    """True: a finished delete answers with the object (pods, PVCs, services …); False: with Status Success."""
    finalizers_on_create: tuple[str, ...] = ()
    status_on_create: bool = False
    """A create keeps the status its body brings, though there is a status subresource (nodes)."""
    create_on_update: bool = False
    """An update of what is not there creates it (AllowCreateOnUpdate)."""
    unconditional_update: bool = True
    """An update may leave out metadata.resourceVersion (AllowUnconditionalUpdate)."""

    def columns_at(self, minor: int) -> tuple[Column, ...]:
        """The columns of one Kubernetes minor version."""
        return tuple(column for column in self.columns if column.since <= minor <= column.until)

    @property
    def resource(self) -> str:
        """`pods`, `deployments.apps`: how messages name it."""
        return qualified(self.group, self.plural)
