"""`--feature-gates`, as upstream's component-base `featuregate` reads it, for the gates there are here."""

from __future__ import annotations

import pytest

from tiphys.cluster.feature_gates import LEGACY_TOKENS_BY_HAND, is_on, parse


def test_known_gates_are_switched() -> None:
    assert parse("") == {}
    assert parse(f"{LEGACY_TOKENS_BY_HAND}=false") == {LEGACY_TOKENS_BY_HAND: False}
    assert parse(f" {LEGACY_TOKENS_BY_HAND}=F, {LEGACY_TOKENS_BY_HAND}=1,") == {LEGACY_TOKENS_BY_HAND: True}
    assert is_on({}, LEGACY_TOKENS_BY_HAND) and not is_on({LEGACY_TOKENS_BY_HAND: False}, LEGACY_TOKENS_BY_HAND)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Sidecars=true", r"unrecognized feature gate: Sidecars; known are Legacy"),
        (f"{LEGACY_TOKENS_BY_HAND}", "missing bool value for Legacy"),
        (f"{LEGACY_TOKENS_BY_HAND}=no", "must be true or false"),
        ("=true", "unrecognized feature gate"),
    ],
)
def test_others_are_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)
