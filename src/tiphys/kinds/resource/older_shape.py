"""How resource.k8s.io looked before v1beta2: requests and devices had the parts that are nested now side by side.

From upstream's `pkg/apis/resource/v1beta1/conversion.go`. In a claim a request was either flat or a list of
alternatives, now it says `exactly` what or `firstAvailable`; a device's attributes were below `basic`, now not.
"""

from __future__ import annotations

from typing import Any

from tiphys.api.kind import Converter
from tiphys.base.document import Document

_EXACTLY = "exactly"
_BASIC = "basic"
_OUTSIDE = ("name", "firstAvailable")


def _changed(document: Document, path: tuple[str, ...], change: Converter) -> Document:
    """A copy with `change` made to every item of the list at `path`; the rest is shared."""
    name, rest = path[0], path[1:]
    found: Any = document.get(name)
    if not found:
        return document
    if rest:
        return {**document, name: _changed(found, rest, change)}
    return {**document, name: [change(item) for item in found]}


def _flat_request(request: Document) -> Document:
    return {**{key: value for key, value in request.items() if key != _EXACTLY}, **(request.get(_EXACTLY) or {})}


def _nested_request(request: Document) -> Document:
    outside = {key: request[key] for key in _OUTSIDE if key in request}
    exactly = {key: value for key, value in request.items() if key not in _OUTSIDE}
    return {**outside, _EXACTLY: exactly} if exactly else outside


def _nested_device(device: Document) -> Document:
    return {"name": device.get("name"), _BASIC: {key: value for key, value in device.items() if key != "name"}}


def _flat_device(device: Document) -> Document:
    return {**{key: value for key, value in device.items() if key != _BASIC}, **(device.get(_BASIC) or {})}


def claims(*spec: str) -> tuple[Converter, Converter]:
    """(to the older shape, from it) for a claim whose spec is at these keys."""
    path = (*spec, "devices", "requests")
    return (
        lambda document: _changed(document, path, _flat_request),
        lambda document: _changed(document, path, _nested_request),
    )


SLICES: tuple[Converter, Converter] = (
    lambda document: _changed(document, ("spec", "devices"), _nested_device),
    lambda document: _changed(document, ("spec", "devices"), _flat_device),
)

OLDER = ("v1beta1", "v1alpha3")
"""The versions of that shape."""
