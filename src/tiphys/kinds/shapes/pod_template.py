"""The pod template of a workload: its defaults, its validation, and how it must fit the workload's selector."""

from __future__ import annotations

from collections.abc import Callable

from tiphys.api.kind import Context
from tiphys.base import label_selector as selectors
from tiphys.base.document import Document
from tiphys.base.field_error import forbidden_field, invalid_value, required, unsupported
from tiphys.base.label_selector import Selector
from tiphys.kinds.shapes import go_syntax, label_selector_validation
from tiphys.kinds.shapes.annotations_validation import annotations_size
from tiphys.kinds.shapes.field_checks import Errors
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.pod_annotations import pod_annotations, profiles_match_annotations
from tiphys.kinds.shapes.pod_features import drop_disabled_fields
from tiphys.kinds.shapes.pod_rules import rules_for
from tiphys.kinds.shapes.pod_spec import default_pod_spec
from tiphys.kinds.shapes.pod_spec_validation import validate_pod_spec

DOES_NOT_MATCH = "`selector` does not match template `labels`"


def default_template(holder: Document, minor: int) -> None:
    """Defaults of `holder["template"]`, made if missing as Go's zero value is."""
    template = part(holder, "template")
    part(template, "metadata")
    default_pod_spec(part(template, "spec"), minor)


def drop_disabled(template: Document | None, old: Document | None, minor: int) -> None:
    """Remove what the version keeps behind a feature gate (pod.DropDisabledTemplateFields)."""
    if template:
        drop_disabled_fields(template.get("spec") or {}, (old or {}).get("spec"), minor)


def validate_template(template: Document, path: str, context: Context, errors: Errors) -> None:
    """Labels, annotations and spec of a template (ValidatePodTemplateSpec)."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    validate_template_metadata(template, path, errors)
    validate_pod_spec(spec, None, f"{path}.spec", rules_for(context.minor, False), errors)
    profiles_match_annotations(metadata, spec, f"{path}.spec", errors)
    if spec.get("ephemeralContainers"):
        words = "ephemeral containers not allowed in pod template"
        errors.append(forbidden_field(f"{path}.spec.ephemeralContainers", words))


def validate_template_metadata(template: Document, path: str, errors: Errors) -> None:
    """The part StatefulSets stop at: their volumes are not all known yet."""
    metadata = template.get("metadata") or {}
    label_selector_validation.labels(metadata.get("labels"), f"{path}.labels", errors)
    if annotations := metadata.get("annotations"):
        annotations_size(annotations, f"{path}.annotations", errors)
        pod_annotations(annotations, template.get("spec") or {}, f"{path}.annotations", errors)


def always_restarts(template: Document, path: str, kind: str, errors: Errors) -> None:
    """Workloads that keep pods running need pods that restart and never reach a deadline."""
    spec = template.get("spec") or {}
    if spec.get("restartPolicy") != "Always":
        errors.append(unsupported(f"{path}.spec.restartPolicy", spec.get("restartPolicy") or "", ["Always"]))
    if spec.get("activeDeadlineSeconds") is not None:
        words = f"activeDeadlineSeconds in {kind} is not Supported"
        errors.append(forbidden_field(f"{path}.spec.activeDeadlineSeconds", words))


def selects_template(selector: Selector, template: Document, path: str, minor: int, errors: Errors) -> None:
    """The selector must select the template's own labels; an empty one is let pass here."""
    labels = (template.get("metadata") or {}).get("labels")
    if not selector.empty and not selector.matches(labels):
        shown = go_syntax.string_map(labels, minor)
        errors.append(invalid_value(f"{path}.metadata.labels", shown, DOES_NOT_MATCH))


def required_selector(spec: Document, kind: str, minor: int, errors: Errors) -> None:
    """`spec.selector` must be there, well formed and not empty."""
    selector = spec.get("selector")
    if selector is None:
        errors.append(required("spec.selector"))
        return
    label_selector_validation.label_selector(selector, "spec.selector", errors)
    if label_selector_validation.is_empty(selector):
        shown = go_syntax.label_selector(selector, minor)
        errors.append(invalid_value("spec.selector", shown, f"empty selector is invalid for {kind}"))


def with_selector(spec: Document, words: str, minor: int, errors: Errors, then: Callable[[Selector], None]) -> None:
    """Go on with `spec.selector` as a Selector, or say `words` of one that cannot be read."""
    try:
        selector = selectors.from_document(spec.get("selector"))
    except ValueError:
        errors.append(invalid_value("spec.selector", go_syntax.label_selector(spec.get("selector"), minor), words))
    else:
        then(selector)


def validate_replicated_template(spec: Document, context: Context, errors: Errors) -> None:
    """Selector and template of Deployments and ReplicaSets (ValidatePodTemplateSpecForReplicaSet)."""
    template: Document = spec.get("template") or {}

    def check(selector: Selector) -> None:
        selects_template(selector, template, "spec.template", context.minor, errors)
        validate_template(template, "spec.template", context, errors)
        always_restarts(template, "spec.template", "ReplicaSet", errors)

    with_selector(spec, "invalid label selector", context.minor, errors, check)
