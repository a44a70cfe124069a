"""Static tokens: the file of apiserver `authentication/token/tokenfile`, the header of `request/bearertoken`."""

from __future__ import annotations

import pytest

from tiphys.auth.bearer_token import BearerToken, bearer_token
from tiphys.auth.token_file import TokenFile
from tiphys.base.http import Request
from tiphys.base.status import StatusError
from tiphys.base.user import AUTHENTICATED

CSV = 'one,alice,u1,"dev,ops"\ntwo,bob,u2\n,empty,u3\n\ntwo,bob2,u4\n'


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens.csv"
    path.write_text(CSV)
    return BearerToken([TokenFile.read(path)])


async def ask(tokens, authorization: str):
    return await tokens.authenticate(Request("GET", "/", headers={"authorization": authorization}))


async def test_users_are_known_by_their_tokens(tokens):
    user = await ask(tokens, "Bearer one")
    assert (user.name, user.uid, user.groups) == ("alice", "u1", ("dev", "ops", AUTHENTICATED))


async def test_the_last_of_equal_tokens_counts(tokens):
    assert (await ask(tokens, "bearer two")).name == "bob2"


async def test_another_token_is_refused(tokens):
    with pytest.raises(StatusError) as refused:
        await ask(tokens, "Bearer on")
    assert (refused.value.code, refused.value.message) == (401, "Unauthorized")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic one", "Bearer  one"])
async def test_other_credentials_are_not_its_own(tokens, authorization):
    assert await ask(tokens, authorization) is None


def test_only_the_first_word_after_bearer_is_the_token():
    assert bearer_token("  Bearer a b ") == "a"


async def test_an_unpaired_surrogate_is_only_a_wrong_token(tokens):
    with pytest.raises(StatusError):
        await ask(tokens, "Bearer \udcff")


@pytest.mark.parametrize(("text", "said"), [("a,b\n", "must have at least 3 columns"), ('a,b,"c\n', "tokens.csv")])
def test_a_file_that_is_no_token_file_is_refused(tmp_path, text, said):
    path = tmp_path / "tokens.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        TokenFile.read(path)
