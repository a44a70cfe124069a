"""What bodies become and what refuses them.

Words of type errors are those of Go's encoding/json `UnmarshalTypeError.Error` in the frame of apiserver
`endpoints/handlers/rest.go` transformDecodeError; strict ones those of sigs.k8s.io/json `kubernetes_patch.go`.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tiphys.base.status import StatusError
from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions

DEPLOYMENT = ("apps", "v1", "Deployment")
POD = ("", "v1", "Pod")
FRAME = 'Deployment in version "v1" cannot be handled as a Deployment: '


def body(**fields: Any) -> bytes:
    return orjson.dumps(fields)


def refusal(decoder: Decoder, text: bytes, kind: tuple[str, str, str] = DEPLOYMENT, **options: Any) -> str:
    with pytest.raises(StatusError) as caught:
        decoder.decode(text, *kind, **options)
    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")
    return caught.value.message


def pod(**spec: Any) -> bytes:
    return body(apiVersion="v1", kind="Pod", metadata={"name": "a"}, spec=spec)


def pod_spec(decoder: Decoder, **spec: Any) -> Any:
    return decoder.decode(pod(**spec), *POD)[0]["spec"]


def test_a_plain_pod_passes_whole_in_every_version(any_decoder: Decoder) -> None:
    text = pod(containers=[{"name": "c", "image": "nginx", "resources": {"limits": {"cpu": "500m"}}}])
    document, warnings = any_decoder.decode(text, *POD)
    assert warnings == []
    assert document["spec"] == orjson.loads(text)["spec"]


def test_type_meta_is_filled_in(decoder: Decoder) -> None:
    # json.go gvkWithDefaults
    document, _ = decoder.decode(b'{"metadata":{"name":"a"}}', *DEPLOYMENT)
    assert (document["apiVersion"], document["kind"]) == ("apps/v1", "Deployment")


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"replicas": "3"}, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": 1.5}, "number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": 1.0}, "number 1.0 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": 2**31}, "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"replicas": True}, "bool into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"paused": "yes"}, "string into Go struct field DeploymentSpec.spec.paused of type bool"),
        ({"template": []}, "array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec"),
        (
            {"template": {"spec": {"containers": {}}}},
            "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
        ),
        (
            {"template": {"spec": {"containers": ["nginx"]}}},
            "string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container",
        ),
        (
            {"template": {"spec": {"containers": [{"imagePullPolicy": 1}]}}},
            "number into Go struct field Container.spec.template.spec.containers.imagePullPolicy"
            " of type v1.PullPolicy",
        ),
        (
            {"template": {"spec": {"containers": [{"resources": {"limits": []}}]}}},
            "array into Go struct field ResourceRequirements.spec.template.spec.containers.resources.limits"
            " of type v1.ResourceList",
        ),
        (
            {"template": {"metadata": {"labels": {"a": 1}}}},
            "number into Go struct field ObjectMeta.spec.template.metadata.labels of type string",
        ),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": True}}},
            "bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
        ),
    ],
)
def test_wrong_types_are_worded_as_go_does(decoder: Decoder, spec: Any, error: str) -> None:
    assert refusal(decoder, body(spec=spec)) == f"{FRAME}json: cannot unmarshal {error}"


def test_numbers_are_quoted_as_written(decoder: Decoder) -> None:
    assert "number 1e2 into" in refusal(decoder, b'{"spec":{"replicas":1e2}}')


def test_the_first_wrong_type_is_told(decoder: Decoder) -> None:
    assert "spec.paused" in refusal(decoder, b'{"spec":{"paused":1,"replicas":"x"},"metadata":3}')


def test_a_bad_quantity_trumps_an_earlier_wrong_type(decoder: Decoder) -> None:
    # decode.go: an error of UnmarshalJSON is returned at once, UnmarshalTypeErrors are saved for the end
    text = b'{"spec":{"replicas":"x","template":{"spec":{"overhead":{"cpu":"1x"}}}}}'
    expected = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    assert refusal(decoder, text) == FRAME + expected


@pytest.mark.parametrize(
    ("text", "error", "summary"),
    [
        (b"", "unexpected end of JSON input", "<empty>"),
        (b"hello", "invalid character 'h' looking for beginning of value", "68656c6c6f"),
        (b'{"a" 1}', "invalid character '1' after object key", '{"a" 1}'),
        (b'{"a":1 2}', "invalid character '2' after object key:value pair", '{"a":1 2}'),
        (b'{"a":[1 2]}', "invalid character '2' after array element", '{"a":[1 2]}'),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string", '{"a":1,}'),
        (b"{} x", "invalid character 'x' after top-level value", "{} x"),
        (b'{"a":tru}', "invalid character '}' in literal true (expecting 'e')", '{"a":tru}'),
        (b'{"a":01}', "invalid character '1' after object key:value pair", '{"a":01}'),
        (b'{"a":-}', "invalid character '}' in numeric literal", '{"a":-}'),
        (b'{"a":1.}', "invalid character '}' after decimal point in numeric literal", '{"a":1.}'),
        (b'{"a":1e}', "invalid character '}' in exponent of numeric literal", '{"a":1e}'),
        (b'{"a":"\\x"}', "invalid character 'x' in string escape code", '{"a":"\\x"}'),
        (b'{"a":"\\u12x4"}', "invalid character 'x' in \\u hexadecimal character escape", '{"a":"\\u12x4"}'),
        (b'{"a":"\n"}', "invalid character '\\n' in string literal", '{"a":"\n"}'),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value", '{"a":NaN}'),
        (b'{"a":"', "unexpected end of JSON input", '{"a":"'),
    ],
)
def test_what_is_no_json_is_told_as_gos_scanner_tells_it(
    decoder: Decoder, text: bytes, error: str, summary: str
) -> None:
    # encoding/json scanner.go; rest.go summarizeData
    expected = f"couldn't get version/kind; json parse error: {error} ({summary})"
    assert refusal(decoder, text) == f"the object provided is unrecognized (must be of type Deployment): {expected}"


@pytest.mark.parametrize(
    ("text", "found"), [(b"[]", "array"), (b"3", "number"), (b'"a"', "string"), (b"true", "bool")]
)
def test_what_is_no_object_is_refused(decoder: Decoder, text: bytes, found: str) -> None:
    kind = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
    assert f"json: cannot unmarshal {found} into Go value of type {kind} (" in refusal(decoder, text)


def test_kind_must_be_a_string(decoder: Decoder) -> None:
    message = refusal(decoder, b'{"kind":3}')
    assert "json: cannot unmarshal number into Go struct field .kind of type string" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            b'{"apiVersion":"v1","kind":"Service"}',
            'Service in version "v1" cannot be handled as a Deployment: '
            "converting (v1.Service) to (apps.Deployment): unknown conversion",
        ),
        (
            b'{"apiVersion":"example.com/v1","kind":"Foo"}',
            'Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version '
            '"example.com/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
        ),
    ],
)
def test_another_kind_is_refused(decoder: Decoder, text: bytes, message: str) -> None:
    assert refusal(decoder, text) == message


def test_another_version_of_the_kind_is_refused(decoder: Decoder) -> None:
    # handlers/create.go
    text = body(apiVersion="autoscaling/v1", kind="HorizontalPodAutoscaler")
    assert refusal(decoder, text, ("autoscaling", "v2", "HorizontalPodAutoscaler")) == (
        "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)"
    )


UNKNOWN = b'{"spec":{"foo":1,"template":{"spec":{"containers":[{"nme":"a","name":"b"}]}}}}'
UNKNOWN_TEXTS = ['unknown field "spec.foo"', 'unknown field "spec.template.spec.containers[0].nme"']


def test_unknown_fields_warn_and_are_dropped(any_decoder: Decoder) -> None:
    document, warnings = any_decoder.decode(UNKNOWN, *DEPLOYMENT)
    assert warnings == UNKNOWN_TEXTS
    assert "foo" not in document["spec"]
    assert document["spec"]["template"]["spec"]["containers"] == [{"name": "b", "resources": {}}]


def test_strict_refuses_unknown_fields(decoder: Decoder) -> None:
    message = refusal(decoder, UNKNOWN, validation="Strict")
    assert message == f"{FRAME}strict decoding error: {', '.join(UNKNOWN_TEXTS)}"


def test_ignore_says_nothing(decoder: Decoder) -> None:
    assert decoder.decode(UNKNOWN, *DEPLOYMENT, validation="Ignore")[1] == []


def test_names_are_case_sensitive(decoder: Decoder) -> None:
    assert decoder.decode(b'{"Spec":{}}', *DEPLOYMENT)[1] == ['unknown field "Spec"']


@pytest.mark.parametrize(
    "text",
    [
        b'{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"replicas":2}}',
        b'{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"replicas":2},"metadata":{"name":"\\u0022\\u0022"}}',
    ],
)
def test_a_field_given_twice_warns_and_the_last_one_counts(decoder: Decoder, text: bytes) -> None:
    document, warnings = decoder.decode(text, *DEPLOYMENT)
    assert warnings == ['duplicate field "spec.replicas"']
    assert document["spec"]["replicas"] == 2


def test_a_map_key_given_twice_warns(decoder: Decoder) -> None:
    warnings = decoder.decode(b'{"metadata":{"labels":{"a":"1","a":"2"}}}', *DEPLOYMENT)[1]
    assert warnings == ['duplicate field "metadata.labels.a"']


def test_at_most_a_hundred_strict_errors_are_kept(decoder: Decoder) -> None:
    # kubernetes_patch.go saveStrictError
    assert len(decoder.decode(body(**{f"x{n}": n for n in range(300)}), *DEPLOYMENT)[1]) == 100


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (2, "2"),
        (0.5, "500m"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        (" 1 ", "1"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1e3", "1e3"),
        ("0", "0"),
        (None, "0"),
    ],
)
def test_quantities_are_written_in_canonical_form(decoder: Decoder, given: Any, written: str) -> None:
    # apimachinery pkg/api/resource/quantity.go, quantity_test.go
    spec = pod_spec(decoder, containers=[{"name": "c", "resources": {"limits": {"cpu": given}}}])
    assert spec["containers"][0]["resources"]["limits"] == {"cpu": written}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2024-02-29T01:02:03Z", "2024-02-29T01:02:03Z"),
        ("2024-01-01T01:02:03.999+02:00", "2023-12-31T23:02:03Z"),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_times_are_written_in_utc_with_whole_seconds(decoder: Decoder, given: str, written: str | None) -> None:
    # apimachinery pkg/apis/meta/v1/time.go: the zero time marshals as null
    document, _ = decoder.decode(body(metadata={"creationTimestamp": given}), *POD)
    assert document["metadata"].get("creationTimestamp") == written


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("x", 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("2024-13-01T00:00:00Z", 'parsing time "2024-13-01T00:00:00Z": month out of range'),
        ("2023-02-29T00:00:00Z", 'parsing time "2023-02-29T00:00:00Z": day out of range'),
        (
            "2024-01-01T00:00:00",
            'parsing time "2024-01-01T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
        ),
        (
            5,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
    ],
)
def test_bad_times_are_worded_as_go_does(decoder: Decoder, given: Any, error: str) -> None:
    # Go's time/format.go ParseError.Error
    assert refusal(decoder, body(metadata={"creationTimestamp": given})) == FRAME + error


def test_micro_times_need_six_digits(decoder: Decoder) -> None:
    lease = ("coordination.k8s.io", "v1", "Lease")
    good = body(spec={"renewTime": "2024-01-01T00:00:00.123456+00:00"})
    assert decoder.decode(good, *lease)[0]["spec"]["renewTime"] == "2024-01-01T00:00:00.123456Z"
    message = refusal(decoder, body(spec={"renewTime": "2024-01-01T00:00:00Z"}), lease)
    assert message.endswith('cannot parse "Z" as ".000000"')


def test_bytes_are_checked_and_written_in_standard_base64(decoder: Decoder) -> None:
    secret = ("", "v1", "Secret")
    document, _ = decoder.decode(b'{"data":{"a":"aGVs\\nbG8=","b":""}}', *secret)
    assert document["data"] == {"a": "aGVsbG8=", "b": ""}
    assert refusal(decoder, b'{"data":{"a":"a*b="}}', secret).endswith("illegal base64 data at input byte 1")


def test_nulls_are_absent(decoder: Decoder) -> None:
    spec = pod_spec(decoder, containers=[{"name": None, "env": None}], affinity=None, nodeSelector={"a": None})
    assert spec == {"containers": [{"resources": {}}], "nodeSelector": {"a": ""}}


def test_empty_values_go_where_omitempty_drops_them(decoder: Decoder) -> None:
    # api/core/v1/types.go: plain fields with omitempty
    text = pod(hostNetwork=False, nodeName="", volumes=[], nodeSelector={}, containers=[{"name": "c", "tty": False}])
    document, _ = decoder.decode(text, *POD)
    assert document["spec"] == {"containers": [{"name": "c", "resources": {}}]}


def test_empty_values_stay_where_go_has_a_pointer_or_no_omitempty(decoder: Decoder) -> None:
    # api/core/v1/types.go: *int64, *bool, *EmptyDirVolumeSource, and `json:"name"`
    spec = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "volumes": [{"name": "", "emptyDir": {}}],
        "containers": [],
        "securityContext": {},
    }
    assert pod_spec(decoder, **spec) == spec


def test_a_storage_class_may_be_the_empty_one(decoder: Decoder) -> None:
    document, _ = decoder.decode(b'{"spec":{"storageClassName":""}}', "", "v1", "PersistentVolumeClaim")
    assert document["spec"] == {"storageClassName": "", "resources": {}}


def test_structs_held_by_value_are_always_written(any_decoder: Decoder) -> None:
    # api/apps/v1/types.go: Strategy, Template and Status are no pointers; creationTimestamp omitzero since 1.34
    document, _ = any_decoder.decode(b'{"apiVersion":"apps/v1","kind":"Deployment"}', *DEPLOYMENT)
    metadata: Any = {"creationTimestamp": None} if any_decoder.definitions.minor < 34 else {}
    assert document == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"strategy": {}, "template": {"metadata": metadata, "spec": {}}},
        "status": {},
    }


def test_the_fast_and_the_careful_way_agree(any_decoder: Decoder) -> None:
    container = {"name": "c", "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"port": "http"}}}
    claim = {"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}}
    plain = {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"containers": [container], "volumes": [{"name": "v", **claim}]},
    }
    fast, _ = any_decoder.decode(orjson.dumps(plain), *POD)
    careful, _ = any_decoder.decode(orjson.dumps({**plain, "unknown": 1}), *POD)
    assert fast == careful
    assert any_decoder.decode(orjson.dumps(fast), *POD)[0] == fast


def test_raw_json_is_not_touched(decoder: Decoder) -> None:
    raw = {"a": None, "b": {}, "c": [1.5, 0, ""], "kind": "X"}
    document, warnings = decoder.decode(body(data=raw), "apps", "v1", "ControllerRevision")
    assert (document["data"], warnings) == (raw, [])


def test_a_custom_resource_definition_is_read_through_its_recursion(decoder: Decoder) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string", "default": ""}}},
        "additionalProperties": False,
        "x-kubernetes-preserve-unknown-fields": True,
    }
    text = body(spec={"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {**schema, "foo": 1}}}]})
    document, warnings = decoder.decode(text, "apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert document["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == schema
    assert warnings == ['unknown field "spec.versions[0].schema.openAPIV3Schema.foo"']


@pytest.mark.parametrize("depth", [300, 1500, 100_000])
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused(decoder: Decoder, depth: int, brackets: tuple[bytes, bytes]) -> None:
    # scanner.go: "exceeded max depth"; the limit is ours
    nested = brackets[0] * depth + (b"1" if brackets[0] != b"[" else b"") + brackets[1] * depth
    message = refusal(decoder, b'{"data":' + nested + b"}", ("apps", "v1", "ControllerRevision"))
    assert "exceeded max depth" in message


@pytest.mark.parametrize("field", ["items", "not", "additionalProperties"])
def test_schemas_nested_to_the_limit_are_read_or_refused(decoder: Decoder, field: str) -> None:
    schema: Any = {}
    for _ in range(225):
        schema = {field: schema}
    text = body(spec={"versions": [{"schema": {"openAPIV3Schema": schema}}]})
    kind = ("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    try:
        document, _ = decoder.decode(text, *kind)
    except StatusError as error:
        assert "exceeded max depth" in error.message
    else:
        assert document["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == schema


def test_many_brackets_are_no_nesting(decoder: Decoder) -> None:
    text = body(data={"a": [[]] * 5000})
    assert len(decoder.decode(text, "apps", "v1", "ControllerRevision")[0]["data"]["a"]) == 5000


def test_invalid_utf8_is_refused(decoder: Decoder) -> None:
    assert "invalid UTF-8 at byte 22" in refusal(decoder, b'{"metadata":{"name":"a\xff"}}')


def test_huge_numbers_are_refused_or_kept(decoder: Decoder) -> None:
    huge = b"9" * 5000
    assert "of type int32" in refusal(decoder, b'{"spec":{"replicas":' + huge[:30] + b"}}")
    refusal(decoder, b'{"spec":{"replicas":1e99999}}')
    refusal(decoder, b'{"spec":{"replicas":' + huge + b"}}")
    decoder.decode(b'{"data":{"a":99999999999999999999999}}', "apps", "v1", "ControllerRevision")


def test_check_reads_a_parsed_document_and_shares_nothing_with_it(decoder: Decoder) -> None:
    given = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c"}]}}
    found, warnings = decoder.check(given, *POD)
    assert found["spec"]["containers"] == [{"name": "c", "resources": {}}]
    assert given["spec"] == {"containers": [{"name": "c"}]}
    assert warnings == []


def test_what_a_patch_made_is_refused_with_422(decoder: Decoder) -> None:
    # handlers/patch.go applyPatchToCurrentObject: field.Invalid(field.NewPath("patch"), the object, the error)
    document = {"spec": {"replicas": "x"}}
    with pytest.raises(StatusError) as caught:
        decoder.check_patched(document, *DEPLOYMENT)
    error = "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
    assert caught.value.code == 422
    assert list(caught.value.details or {}) == ["causes"]
    assert caught.value.message == (
        f' "" is invalid: patch: Invalid value: "{{\\"spec\\":{{\\"replicas\\":\\"x\\"}}}}": {error}'
    )


def test_what_a_strategic_patch_made_is_refused_showing_the_patch(decoder: Decoder) -> None:
    patch = {"spec": {"foo": 1, "a": ["b", None]}}
    with pytest.raises(StatusError) as caught:
        decoder.check_patched({"spec": {"foo": 1}}, *DEPLOYMENT, validation="Strict", strategic_patch=patch)
    expected = 'patch: Invalid value: "map[spec:map[a:[b <nil>] foo:1]]": strict decoding error: unknown field'
    assert f'{expected} "spec.foo"' in caught.value.message


def test_findings_in_the_patch_are_told_with_the_objects(decoder: Decoder) -> None:
    found = ['duplicate field "spec.x"']
    assert decoder.check_patched({"x": 1}, *DEPLOYMENT, found=found)[1] == [*found, 'unknown field "x"']
    with pytest.raises(StatusError, match="strict decoding error: duplicate field"):
        decoder.check_patched({}, *DEPLOYMENT, validation="Strict", found=found)


@pytest.mark.parametrize("minor", [25, 31, 37])
def test_the_empty_object_of_every_kind_is_read_and_read_again(minor: int) -> None:
    decoder = Decoder(Definitions.load(minor))
    for kind in decoder.definitions.kinds():
        if kind[2] == "WatchEvent":
            continue  # no object: it has neither apiVersion nor kind
        document, warnings = decoder.decode(b"{}", *kind)
        assert warnings == []
        assert decoder.decode(orjson.dumps(document), *kind) == (document, [])


def test_delete_options_may_say_any_groups_version(decoder: Decoder) -> None:
    # every group registers DeleteOptions: apimachinery meta/v1/register.go AddToGroupVersion
    text = body(apiVersion="apps/v1", kind="DeleteOptions", gracePeriodSeconds=0, orphanDependents=None)
    assert decoder.decode(text, "", "v1", "DeleteOptions")[0]["gracePeriodSeconds"] == 0


def test_an_eviction_of_the_beta_is_taken(decoder: Decoder) -> None:
    # registry/core/pod/storage/eviction.go AcceptsGroupVersion; kubectl 1.20 drain sends it
    text = body(apiVersion="policy/v1beta1", kind="Eviction", metadata={"name": "a"})
    assert decoder.decode(text, "policy", "v1", "Eviction")[0]["metadata"]["name"] == "a"
