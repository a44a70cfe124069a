"""Acting as someone else (apiserver `impersonation_test.go`, kubernetes.io "User impersonation")."""

from __future__ import annotations

import pytest
from tests.unit.auth.pipeline_world import JANE

from tiphys.auth.contract import Decision
from tiphys.auth.impersonation import impersonated, without_headers
from tiphys.base.status import StatusError
from tiphys.base.user import AUTHENTICATED, User

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class Only:
    """Allows to be what is listed: `users/bob`, `serviceaccounts/erp/bot`, `userextras/scopes/view`."""

    def __init__(self, *allowed: str) -> None:
        self.allowed, self.asked = allowed, []

    async def decide(self, user, info):
        assert (user, info.verb, info.is_resource) == (JANE, "impersonate", True)
        assert info.group == ("authentication.k8s.io" if info.resource in ("userextras", "uids") else "")
        parts = (info.resource, info.namespace, info.subresource, info.name)
        self.asked.append("/".join(part for part in parts if part))
        return Decision(self.asked[-1] in self.allowed or "*" in self.allowed)


async def become(headers: dict[str, str], *allowed: str) -> User | None:
    return await impersonated(Only(*(allowed or ("*",))), JANE, headers)


async def refusal(headers: dict[str, str], *allowed: str) -> str:
    with pytest.raises(StatusError) as caught:
        await become(headers, *allowed)
    assert caught.value.code == 403
    return caught.value.message


async def test_without_headers_everyone_is_themselves():
    assert await become({"accept": "a", "x-impersonate-user": "bob"}) is None
    assert await become({"impersonate-user": ""}) is None


async def test_a_user():
    assert await become({"impersonate-user": "bob"}, "users/bob") == User("bob", (AUTHENTICATED,))
    who = 'User "jane" cannot impersonate resource "users" in API group "" at the cluster scope'
    expected = f'users "bob" is forbidden: {who}'
    assert await refusal({"impersonate-user": "bob"}, "users/eve") == expected


async def test_groups_are_each_asked_for():
    headers = {"impersonate-user": "bob", "impersonate-group": "devs\nops, and more"}
    groups = ("devs", "ops, and more", AUTHENTICATED)
    assert await become(headers, "users/bob", "groups/devs", "groups/ops, and more") == User("bob", groups)
    message = await refusal(headers, "users/bob", "groups/devs")
    assert message.startswith('groups "ops, and more" is forbidden: User "jane" cannot impersonate resource "groups"')


@pytest.mark.parametrize("group", [AUTHENTICATED, "system:unauthenticated"])
async def test_who_says_whether_they_are_authenticated_is_not_asked_twice(group):
    assert await become({"impersonate-user": "bob", "impersonate-group": group}) == User("bob", (group,))


async def test_anonymous():
    assert await become({"impersonate-user": "system:anonymous"}) == User(
        "system:anonymous", ("system:unauthenticated",)
    )


async def test_a_service_account_brings_its_groups():
    name = "system:serviceaccount:erp:bot"
    groups = ("system:serviceaccounts", "system:serviceaccounts:erp", AUTHENTICATED)
    assert await become({"impersonate-user": name}, "serviceaccounts/erp/bot") == User(name, groups)
    expected = User(name, ("devs", AUTHENTICATED))
    assert await become({"impersonate-user": name, "impersonate-group": "devs"}) == expected


@pytest.mark.parametrize(
    "name", ["system:serviceaccount:erp", "system:serviceaccount:e.p:b", "system:serviceaccount::b"]
)
async def test_what_only_looks_like_a_service_account_is_a_user(name):
    assert await become({"impersonate-user": name}, f"users/{name}") == User(name, (AUTHENTICATED,))


async def test_extras_and_uid():
    headers = {
        "impersonate-user": "bob",
        "impersonate-uid": "42",
        "impersonate-extra-scopes": "view\nedit",
        "impersonate-extra-example.com%2fkey": "v",
        "impersonate-extra-bad%zz": "w",
    }
    allowed = (
        "users/bob", "uids/42", "userextras/scopes/view", "userextras/scopes/edit", "userextras/example.com/key/v",
        "userextras/bad%zz/w",
    )  # fmt: skip
    extra = {"scopes": ("view", "edit"), "example.com/key": ("v",), "bad%zz": ("w",)}
    assert await become(headers, *allowed) == User("bob", (AUTHENTICATED,), "42", extra)
    for missing in allowed:
        assert await refusal(headers, *(each for each in allowed if each != missing))


async def test_the_first_of_several_users_counts():
    assert await become({"impersonate-user": "bob\neve"}, "users/bob") == User("bob", (AUTHENTICATED,))


async def test_names_are_utf8():
    header = "jürgen".encode().decode("latin-1")
    assert await become({"impersonate-user": header}) == User("jürgen", (AUTHENTICATED,))
    assert await become({"impersonate-user": "\xff"}) == User("\xff", (AUTHENTICATED,))


@pytest.mark.parametrize(
    ("headers", "listed"),
    [
        ({"impersonate-group": "devs"}, "[{Group  devs    }]"),
        ({"impersonate-uid": "1"}, "[{UID  1  authentication.k8s.io/v1  }]"),
        ({"impersonate-extra-a": "b"}, "[{UserExtra  b  authentication.k8s.io/v1  a}]"),
        ({"impersonate-group": "", "impersonate-user": ""}, "[{Group      }]"),
    ],
)
async def test_nothing_without_a_user(headers, listed):
    with pytest.raises(StatusError) as caught:
        await become(headers)
    assert (caught.value.code, caught.value.message) == (400, f"requested {listed} without impersonating a user")


def test_headers_do_not_go_on():
    headers = {"accept": "a", "impersonate-user": "b", "impersonate-extra-c": "d"}
    assert without_headers(headers) == {"accept": "a"}


async def test_through_the_pipeline(world):
    await world.role(
        "as-bob", {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"]}
    )
    await world.bind("as-bob", "jane")
    review = await world.ok(JANE, "POST", WHOAMI, {}, {"impersonate-user": "bob"})
    assert review["status"]["userInfo"] == {"username": "bob", "groups": [AUTHENTICATED]}
    pods = "/api/v1/namespaces/erp/pods"
    message = await world.refused(403, JANE, "GET", pods, headers={"impersonate-user": "bob"})
    assert message.startswith('pods is forbidden: User "bob" cannot list')
    message = await world.refused(403, JANE, "GET", pods, headers={"impersonate-user": "eve"})
    assert message.startswith('users "eve" is forbidden: User "jane" cannot impersonate')
    for group in ("system:masters", "devs"):
        headers = {"impersonate-user": "bob", "impersonate-group": group}
        assert f'groups "{group}" is forbidden' in await world.refused(403, JANE, "GET", pods, headers=headers)
