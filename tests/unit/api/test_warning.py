"""Warning headers (apiserver `endpoints/filters/warning.go`, apimachinery `util/net` NewWarningHeader)."""

from __future__ import annotations

from tiphys.api.warning import warning_headers


def test_each_different_text_once_and_quoted() -> None:
    assert warning_headers(['unknown field "a"', "b\\", 'unknown field "a"', "c\n\x00d", ""]) == [
        ("Warning", '299 - "unknown field \\"a\\""'),
        ("Warning", '299 - "b\\\\"'),
        ("Warning", '299 - "cd"'),
    ]


def test_too_many_are_cut_and_then_left_out() -> None:
    # 4 KiB in full, 256 characters each beyond, 16 KiB in all
    few = warning_headers(["a" * 3000])
    assert len(few[0][1]) == 3000 + len('299 - ""')
    many = warning_headers([f"{number:04}" + "x" * 600 for number in range(100)])
    assert {len(value) for _, value in many} == {256 + len('299 - ""')}
    assert len(many) == 64
