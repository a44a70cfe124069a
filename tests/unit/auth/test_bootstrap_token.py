"""Bootstrap tokens: k/k `plugin/pkg/auth/authenticator/token/bootstrap/bootstrap_test.go`."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from tests.unit.auth.token_world import NOW, Objects, StillClock, World

from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.bootstrap_token import BootstrapToken
from tiphys.auth.token import TokenRefused
from tiphys.base.clock import rfc3339

TOKEN = "foobar.0123456789abcdef"
DATA = {"token-id": "foobar", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true"}


def _world(type_: str = "bootstrap.kubernetes.io/token", metadata: Any = None, **data: str) -> BearerToken:
    objects = Objects()
    encoded = {k.replace("_", "-"): base64.b64encode(v.encode()).decode() for k, v in {**DATA, **data}.items()}
    name = "bootstrap-token-foobar"
    objects.put("secrets", name, "s", "kube-system", type=type_, data=encoded, metadata=metadata or {})
    return BearerToken([BootstrapToken(objects, StillClock())])


@pytest.fixture
def world() -> World:
    return World()


async def test_a_token_is_its_user_and_groups() -> None:
    user = (await _world().authenticate_token(TOKEN)).user
    assert user.name == "system:bootstrap:foobar"
    assert user.groups == ("system:bootstrappers", "system:authenticated")
    groups = "system:bootstrappers:foo,system:bootstrappers:bar"
    user = (await _world(auth_extra_groups=groups, expiration=rfc3339(NOW + 1)).authenticate_token(TOKEN)).user
    assert user.groups[:3] == ("system:bootstrappers", "system:bootstrappers:bar", "system:bootstrappers:foo")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"token-secret": "0123456789abcdeX"}, "token-secret"),
        ({"token-id": "barfoo"}, "token-id"),
        ({"usage-bootstrap-authentication": "yes"}, "usage-bootstrap-authentication"),
        ({"expiration": rfc3339(NOW)}, "expired"),
        ({"expiration": "tomorrow"}, "expired"),
        ({"expiration": "2099-01-01"}, "expired"),
        ({"auth-extra-groups": "foo"}, "auth-extra-groups"),
        ({"auth-extra-groups": "system:bootstrappers:a,system:masters"}, "auth-extra-groups"),
        ({"type_": "Opaque"}, "type"),
        ({"metadata": {"deletionTimestamp": rfc3339(NOW)}}, "deleted"),
    ],
)
async def test_what_keeps_a_token_out_is_logged(
    changed: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(TokenRefused, match=r"^invalid bearer token$"):
        await _world(**changed).authenticate_token(TOKEN)
    assert said in caplog.text
    assert "0123456789abcde" not in caplog.text


@pytest.mark.parametrize(
    "token", ["foobar", "FOOBAR.0123456789abcdef", f"{TOKEN}x", f"{TOKEN}\n", "barfoo.0123456789abcdef"]
)
async def test_what_is_no_bootstrap_token(token: str) -> None:
    with pytest.raises(TokenRefused):
        await _world().authenticate_token(token)


async def test_each_kind_of_token_is_left_to_who_knows_it(world: World) -> None:
    both = BearerToken([world.service_accounts, BootstrapToken(Objects(), StillClock())])
    assert (await both.authenticate_token(world.token())).user.name == "system:serviceaccount:erp:builder"
