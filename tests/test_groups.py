"""Groups of rows: sizes, ids, strata."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fusedloss._core.groups import group_offsets, stratum_numbers

nan = np.nan


@pytest.mark.parametrize(
    ("sizes", "ids", "offsets"),
    [
        ([2, 1, 3], [4, 4, 7, 9, 9, 9], [0, 2, 3, 6]),
        ([6], [0] * 6, [0, 6]),
        ([1] * 6, list("abcdef"), [0, 1, 2, 3, 4, 5, 6]),
        ([], [], [0]),
    ],
)
def test_offsets(sizes: Any, ids: Any, offsets: Any) -> None:
    rows = offsets[-1]
    for kind in (np.int8, np.uint64, np.int64, list):
        given = sizes if kind is list else np.array(sizes, kind)
        found = group_offsets(rows, given, None)
        assert found.dtype == np.int64 and found.tolist() == offsets
    for given in (ids, np.array(ids), np.array(ids, object)):
        found = group_offsets(rows, None, given)
        assert found.dtype == np.int64 and found.tolist() == offsets


def test_empty_groups() -> None:
    assert group_offsets(3, [0, 2, 0, 1, 0], None).tolist() == [0, 0, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("sizes", "ids", "error", "message"),
    [
        (None, None, ValueError, "group_sizes, group_ids: one of the two is needed"),
        ([3], [1, 1, 1], ValueError, "group_sizes, group_ids: only one of them is accepted"),
        ([1, 1], None, ValueError, "group_sizes: they sum up to 2, but there are 3 rows"),
        ([4, -1], None, ValueError, r"group_sizes: the value at \[0\] is 4; accepted are 0 to 3"),
        (
            [2, -1, 2],
            None,
            ValueError,
            r"group_sizes: the value at \[1\] is -1; accepted are 0 to 3",
        ),
        ([1.0, 2.0], None, TypeError, "group_sizes: an integer dtype is needed, got float64"),
        ([True, True], None, TypeError, "group_sizes: an integer dtype is needed, got bool"),
        ([[3]], None, ValueError, r"group_sizes: shape \(groups,\) is needed, got \(1, 1\)"),
        (["a"], None, TypeError, "group_sizes: "),
        (np.array(3), None, ValueError, r"group_sizes: shape \(groups,\) is needed"),
        (3, None, ValueError, r"group_sizes: shape \(groups,\) is needed, got a number"),
        (None, [1, 1], ValueError, r"group_ids: an id for each row is needed, shape \(3,\)"),
        (None, [1, 2, 1], ValueError, "group_ids: they must be sorted, but 1 at position 2 foll"),
        (None, [1, nan, nan], ValueError, "group_ids: the id at position 1 is nan"),
        (None, ["a", "b", None], ValueError, "group_ids: the id at position 2 is None"),
        (None, 5, ValueError, "group_ids: an id for each row"),
        (None, [1j, 2, 3], TypeError, "group_ids: dtype complex128 is not accepted"),
        (None, np.ma.masked_array([1, 2, 3]), TypeError, "group_ids: masked arrays"),
        (None, [[1], [1, 2], [3]], ValueError, "group_ids: cannot be made an array"),
        (None, np.array([1, "a", 2], object), TypeError, "group_ids: ids must be of one type"),
    ],
)
def test_errors(sizes: Any, ids: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        group_offsets(3, sizes, ids)


def test_sizes_that_overflow() -> None:
    """Their sum is that of 64-bit integers."""
    with pytest.raises(ValueError, match="they sum up to 400, but there are 300 rows"):
        group_offsets(300, np.full(4, 100, np.int8), None)


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [
        ([5, -1, 5, 3], [2, 0, 2, 1]),
        (["m", "f", "m", "m"], [1, 0, 1, 1]),
        ([0.5, 2.5, -1, 0.5], [1, 2, 0, 1]),
        ([True, False, True, True], [1, 0, 1, 1]),
        (np.array(["2001-01-01", "1999-01-01"] * 2, "M8[D]"), [1, 0, 1, 0]),
    ],
)
def test_strata(ids: Any, numbers: Any) -> None:
    found, count = stratum_numbers("strata", ids, 4)
    assert found.tolist() == numbers and count == max(numbers) + 1
    assert stratum_numbers("strata", np.array(ids, object), 4)[0].tolist() == numbers


def test_strata_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    for dtype in (None, "category", "object"):
        found, count = stratum_numbers("strata", pd.Series(["b", "a", "b"], dtype=dtype), 3)
        assert found.tolist() == [1, 0, 1] and count == 2
    with pytest.raises(ValueError, match=r"^strata: the id at position 1 is nan"):
        stratum_numbers("strata", pd.Series(["b", None, "b"], dtype="category"), 3)
    for dtype in ("string", "object"):
        with pytest.raises(
            ValueError, match=r"^strata: the id at position 1 is <NA>, which is none"
        ):
            stratum_numbers("strata", pd.Series(["b", pd.NA, "b"], dtype=dtype), 3)
