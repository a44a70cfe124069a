"""Audit policies (apiserver `audit/policy/checker_test.go`, `apis/audit/validation/validation_test.go`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiphys.api.request_info import read_request_info
from tiphys.base.user import User
from tiphys.server.audit.policy import GroupResources, Policy, Rule
from tiphys.server.audit.policy_file import read_policy

TIM = User("tim@k8s.io", ("humans", "developers"))
REQUESTS = {
    "namespaced": ("GET", "/api/v1/namespaces/default/pods/busybox"),
    "cluster": ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/edit"),
    "log": ("GET", "/api/v1/namespaces/default/pods/busybox/log"),
    "metrics": ("GET", "/logs/kubelet.log"),
}


def pods(*patterns: str, group: str = "", names: tuple[str, ...] = ()) -> Rule:
    return Rule("Metadata", resources=[GroupResources(group, patterns, names)])


@pytest.mark.parametrize(
    ("rule", "matched"),
    [
        (Rule("Metadata"), "namespaced cluster log metrics"),
        (Rule("Metadata", verbs=frozenset({"create"})), ""),
        (Rule("Metadata", users=frozenset({"tim@k8s.io"})), "namespaced cluster log metrics"),
        (Rule("Metadata", users=frozenset({"x"})), ""),
        (Rule("Metadata", groups=frozenset({"x", "humans"})), "namespaced cluster log metrics"),
        (Rule("Metadata", namespaces=frozenset({"default"})), "namespaced log"),
        (Rule("Metadata", namespaces=frozenset({""})), "cluster"),
        (pods(), "namespaced log"),
        (pods("pods"), "namespaced"),
        (pods("pods/log"), "log"),
        (pods("pods/*"), "namespaced log"),
        (pods("*/log"), "log"),
        (pods("*"), "namespaced log"),
        (pods("*", group="*"), "namespaced cluster log"),
        (pods("pods", names=("busybox",)), "namespaced"),
        (pods("pods", names=("other",)), ""),
        (pods("clusterroles", group="rbac.authorization.k8s.io"), "cluster"),
        (Rule("Metadata", urls=["/logs*"]), "metrics"),
        (Rule("Metadata", urls=["/logs/kubelet.log"]), "metrics"),
        (Rule("Metadata", urls=["/logs"]), ""),
        (Rule("Metadata", urls=["*"]), "metrics"),
    ],
)
def test_rules(rule: Rule, matched: str) -> None:
    found = [
        name for name, (method, path) in REQUESTS.items() if rule.matches(TIM, read_request_info(method, path, ""))
    ]
    assert found == matched.split()


def test_nobody_matches_no_rule_about_somebody() -> None:
    info = read_request_info("GET", "/api", "")
    assert Rule("Metadata").matches(None, info)
    assert not Rule("Metadata", users=frozenset({""})).matches(None, info)
    assert not Rule("Metadata", groups=frozenset({"x"})).matches(None, info)


def test_the_first_rule_that_matches_says() -> None:
    info = read_request_info("GET", "/api", "")
    assert Policy([Rule("None"), Rule("Request")]).rule_for(TIM, info) is None
    assert Policy([Rule("Request", users=frozenset({"x"})), Rule("Metadata")]).rule_for(TIM, info) == Rule("Metadata")
    assert Policy([]).rule_for(TIM, info) is None


def policy(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return read_policy(path)


HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"


def test_a_file(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        HEAD + "omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n"
        "- {level: Request, resources: [{group: '', resources: [pods]}], omitStages: [Panic]}\n"
        "- {level: None, omitManagedFields: false, nonResourceURLs: ['/healthz*']}\n",
    )
    first, second = found.rules
    assert first.omit_stages == {"RequestReceived", "Panic"} and first.omit_managed_fields
    assert second.omit_stages == {"RequestReceived"} and not second.omit_managed_fields
    assert (second.level, tuple(second.urls)) == ("None", ("/healthz*",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD, "loaded illegal policy with 0 rules: from file"),
        ("apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]", "unknown group version field"),
        ("x", "failed decoding"),
        ("a: [", "failed decoding"),
        (HEAD + "rules: [{}]", r"rules\[0\].level: Required value"),
        (
            HEAD + "rules: [{level: Much}]",
            r'rules\[0\].level: Unsupported value: "Much": supported values: "None", "Metadata"',
        ),
        (
            HEAD + "rules: [{level: None, nonResourceURLs: ['a']}]",
            r"rules\[0\].nonResourceURLs\[0\]: Invalid value: \"a\": non-resource URL rules must begin with",
        ),
        (HEAD + "rules: [{level: None, nonResourceURLs: ['/a*b']}]", "must be the final character of the rule"),
        (HEAD + "rules: [{level: None, nonResourceURLs: ['/a'], namespaces: [x]}]", "cannot apply to both"),
        (HEAD + "rules: [{level: None, resources: [{group: A/v1}]}]", r"resources.group: Invalid value: \"A/v1\""),
        (HEAD + "rules: [{level: None, resources: [{resourceNames: [a]}]}]", "requires at least one resource"),
        (HEAD + "rules: [{level: None, omitStages: [Now]}]", "allowed stages are RequestReceived,ResponseStarted,"),
        (HEAD + "rules: [{level: None, users: x}]", "must be a list of strings"),
        (HEAD + "rules: [7]", "must be a mapping"),
        (HEAD + "rules: [{level: [None]}]", "level"),
        (HEAD + "rules: [{level: None, resources: [pods]}]", "must be a list of mappings"),
    ],
)
def test_files_that_are_no_policy(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        policy(tmp_path, text)


def test_unknown_fields_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """LoadPolicyFromBytes falls back to lenient decoding."""
    assert policy(tmp_path, HEAD + "rules: [{level: None, colour: red}]").rules
    assert 'unknown field "rules[0].colour"' in caplog.text
