"""PodTemplate: a template that stands by itself (pkg/registry/core/podtemplate)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.kinds.shapes.columns import container_column, labels
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.pod_template import default_template, drop_disabled, validate_template
from tiphys.kinds.shapes.pod_warnings import pod_warnings


def _default(template: Document, context: Context) -> None:
    default_template(template, context.minor)


def _prepare_create(template: Document, context: Context) -> None:
    drop_disabled(template.get("template"), None, context.minor)


def _prepare_update(new: Document, old: Document, context: Context) -> None:
    drop_disabled(new.get("template"), old.get("template"), context.minor)


def _validate(template: Document, context: Context) -> Sequence[FieldError]:
    errors: Errors = []
    validate_template(template.get("template") or {}, "template", context, errors)
    return errors


def _validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return _validate(new, context)


def _warnings(new: Document, old: Document | None) -> Sequence[str]:
    return pod_warnings(new.get("template") or {}, "template.")


KIND = Kind(
    kind="PodTemplate",
    plural="podtemplates",
    columns=(
        Column(
            "Containers",
            container_column("name", "template.spec.containers"),
            description="Names of each container in the template.",
        ),
        Column(
            "Images",
            container_column("image", "template.spec.containers"),
            description="Images referenced by each container in the template.",
        ),
        Column("Pod Labels", labels("template.metadata.labels"), description="The labels for the pod template."),
    ),
    default=_default,
    prepare_create=_prepare_create,
    prepare_update=_prepare_update,
    validate=_validate,
    validate_update=_validate_update,
    warnings=_warnings,
    returns_object_on_delete=True,
)
