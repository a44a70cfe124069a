"""Upstream: pkg/util/parsers/parsers_test.go, distribution/reference."""

import pytest

from tiphys.kinds.shapes.image_reference import default_pull_policy, tag

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "image, expected",
    [
        ("root", "latest"),
        ("root:tag", "tag"),
        (f"root@{DIGEST}", ""),
        (f"root:tag@{DIGEST}", "tag"),
        ("user/repo", "latest"),
        ("url:5000/repo", "latest"),
        ("url:5000/repo:tag", "tag"),
        ("harbor.k8s.com/erp/nginx:1.16.1", "1.16.1"),
        ("ROOT", ""),
        ("http://root", ""),
        ("a" * 64, ""),
        ("", ""),
        ("a//b", ""),
        ("a-" * 400, ""),
    ],
)
def test_tag(image: str, expected: str) -> None:
    assert tag(image) == expected


def test_pull_policy() -> None:
    assert default_pull_policy("nginx") == default_pull_policy("nginx:latest") == "Always"
    assert default_pull_policy("nginx:1") == default_pull_policy("NGINX") == "IfNotPresent"
