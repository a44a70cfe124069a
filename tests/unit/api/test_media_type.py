"""Content negotiation: apiserver `endpoints/handlers/negotiation`, munnerz/goautoneg."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiphys.api.media_type import PLAIN, Form, accepts_table, negotiate, parse_accept
from tiphys.base.http import PROTOBUF
from tiphys.base.status import StatusError

KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


def test_what_kubectl_get_asks_for():
    assert negotiate(KUBECTL) == Form("Table", "v1")
    assert accepts_table(KUBECTL) == "v1"
    assert accepts_table("application/json") is None and accepts_table("") is None


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "*",
        "application/*",
        "application/json",
        "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json",
        "text/html, */*; q=0.1",
        "application/json;stream=watch",
        "application/json;as=Unknown;g=meta.k8s.io;v=v1,application/json",
        "application/json;as=Table;g=meta.k8s.io;v=v2,application/json",
    ],
)
def test_plain_json(accept):
    assert negotiate(accept) == PLAIN


def test_quality_and_wildcards_order_the_clauses():
    accept = "*/*, application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1;q=0.5, a/b;q=0.7"
    assert [clause.media_type for clause in parse_accept(accept)] == ["*/*", "a/b", "application/json"]
    assert [clause.media_type for clause in parse_accept("*/*,a/*,a/b")] == ["a/b", "a/*", "*/*"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/vnd.kubernetes.protobuf,application/json", PROTOBUF),
        ("application/json,application/vnd.kubernetes.protobuf", "application/json"),
        ("application/vnd.kubernetes.protobuf;stream=watch", PROTOBUF),
        ("application/yaml;stream=watch, application/vnd.kubernetes.protobuf", PROTOBUF),
        ("application/json;q=0.5, application/yaml", "application/yaml"),
        ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", PROTOBUF),
    ],
)
def test_the_first_clause_that_can_be_given_counts(accept, media_type):
    assert negotiate(accept).media_type == media_type


def test_there_is_no_yaml_of_a_stream():
    # codec_factory.go: YAML has no StreamSerializer; watch.go asks for one only after the negotiation
    with pytest.raises(StatusError) as refused:
        negotiate("application/yaml, application/json", stream=True)
    assert refused.value.message == (
        "only the following media types are accepted: "
        "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
    )


def test_pretty_may_be_asked_for():
    assert negotiate("application/json;pretty=1") == Form(pretty=True)


@pytest.mark.parametrize("accept", ["text/html", "application/json;stream=other", "application/json;sv=v2", ",", "x"])
def test_what_cannot_be_given_is_refused(accept):
    with pytest.raises(StatusError) as refused:
        negotiate(accept)
    assert refused.value.code == 406
    assert refused.value.message == (
        "only the following media types are accepted: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


@given(st.text(max_size=80) | st.text(alphabet="aj*/;=q,0.9 ", max_size=40))
def test_no_header_makes_it_fail(accept):
    try:
        negotiate(accept)
    except StatusError as error:
        assert error.code == 406
