"""Ours: what is written is read back, in its order, and broken text is refused."""

from __future__ import annotations

import pytest

from tiphys.base import yaml_text


def test_what_is_written_is_read_back() -> None:
    document = {"kind": "Config", "apiVersion": "v1", "list": [{"a": "no", "b": 1}, "x" * 300], "none": None}
    text = yaml_text.dump(document)
    assert yaml_text.load(text) == document
    assert text.startswith("kind: Config\napiVersion: v1\n")
    assert "x" * 300 in text


def test_broken_text_is_refused() -> None:
    with pytest.raises(yaml_text.YAMLError):
        yaml_text.load("a: [")


def test_tags_make_no_objects() -> None:
    with pytest.raises(yaml_text.YAMLError):
        yaml_text.load("!!python/object/apply:os.getcwd []")
