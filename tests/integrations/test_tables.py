"""Columns and tables of pandas, polars and pyarrow as operands; nulls; and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

NUMBERS = [0.5, -1.0, 2.0]
HOLES = [0.5, None, 2.0]
TARGET = np.array([1.0, 0.0, 1.0])
EXPECTED = fl.mse_loss(np.array(NUMBERS), TARGET)

COLUMNS = {
    "pandas": lambda x: pd.Series(x, dtype="float64"),
    "pandas Float64": lambda x: pd.Series(x, dtype="Float64"),
    "pandas float[pyarrow]": lambda x: pd.Series(x, dtype="double[pyarrow]"),
    "pandas array": lambda x: pd.array(x, dtype="Float64"),
    "polars": pl.Series,
    "pyarrow": pa.array,
    "pyarrow chunked": lambda x: pa.chunked_array([pa.array(x[:1]), pa.array(x[1:])]),
    "objects": lambda x: np.array(x, dtype=object),
}
WITHOUT_OBJECTS = [name for name in COLUMNS if name != "objects"]
#: NaN is what NumPy's dtypes have for nothing, and stays NaN.
WITH_NULLS = [name for name in COLUMNS if name != "pandas"]


@pytest.mark.parametrize("make", WITHOUT_OBJECTS)
def test_columns(make: str) -> None:
    column = COLUMNS[make](NUMBERS)
    value, grad = fl.mse_loss.value_and_grad(column, TARGET)
    assert value == EXPECTED
    assert type(grad) is np.ndarray
    np.testing.assert_array_equal(grad, fl.mse_loss.value_and_grad(NUMBERS, TARGET)[1])
    assert fl.mse_loss(NUMBERS, column) == 0


@pytest.mark.parametrize("make", WITHOUT_OBJECTS[:-1])
def test_columns_are_not_copied(make: str) -> None:
    column = COLUMNS[make](NUMBERS)
    array = fl._core.operands.operand("input", column)[0]
    again = fl._core.operands.operand("input", column)[0]
    assert np.shares_memory(array, again)


LABELS = {
    "pandas Int64": (lambda x: pd.Series(x, dtype="Int64")),
    "pandas int64[pyarrow]": (lambda x: pd.Series(x, dtype="int64[pyarrow]")),
    "polars": pl.Series,
    "pyarrow": pa.array,
}


@pytest.mark.parametrize("make", LABELS)
def test_labels(make: str) -> None:
    logits = np.arange(6.0).reshape(3, 2) ** 1.5
    expected = fl.cross_entropy(logits, [0, 1, 1])
    assert fl.cross_entropy(logits, LABELS[make]([0, 1, 1])) == expected
    with pytest.raises(ValueError, match="target: holds nulls, the first at position 1"):
        fl.cross_entropy(logits, LABELS[make]([0, None, 1]))
    rows = np.array([[True], [False], [True]])
    value, grad = fl.cross_entropy.value_and_grad(logits, LABELS[make]([0, None, 1]), where=rows)
    wanted = fl.cross_entropy.value_and_grad(logits[[0, 2]], [0, 1])
    assert value == wanted[0]
    np.testing.assert_array_equal(grad[[0, 2]], wanted[1])
    np.testing.assert_array_equal(grad[1], 0)
    with pytest.raises(ValueError, match="target: holds nulls, the first at position 1"):
        fl.cross_entropy(logits, LABELS[make]([0, None, 1]), where=~rows)


@pytest.mark.parametrize("make", WITH_NULLS)
def test_nulls(make: str) -> None:
    """Refused by name, unless `where` leaves them out."""
    column = COLUMNS[make](HOLES)
    with pytest.raises(ValueError, match=r"input: holds nulls, the first at position 1; .*where="):
        fl.mse_loss(column, TARGET)
    with pytest.raises(ValueError, match="target: holds nulls, the first at position 1"):
        fl.mse_loss.value_and_grad(TARGET, column)
    with pytest.raises(ValueError, match="input: holds nulls, the first at position 1"):
        fl.mse_loss(column, TARGET, where=[False, True, True])
    with pytest.raises(ValueError, match="where: holds nulls"):
        fl.mse_loss(TARGET, TARGET, where=column)
    kept = [True, False, True]
    expected = fl.mse_loss.value_grad_hess([0.5, 9.0, 2.0], TARGET, where=kept)
    grad = np.zeros(3)
    results = fl.mse_loss.value_grad_hess(column, TARGET, where=kept, grad_out=grad)
    for got, want in zip(results, expected, strict=True):
        np.testing.assert_array_equal(got, want)
    assert results[1] is grad
    assert fl.mse_loss(column, TARGET, where=kept) == expected[0]
    weight = COLUMNS[make](HOLES)
    value = fl.mse_loss(column, TARGET, weight=weight, where=kept)
    assert value == fl.mse_loss([0.5, 9.0, 2.0], TARGET, weight=[0.5, 1.0, 2.0], where=kept)
    criterion = fl.MSELoss(where=kept)
    assert criterion(column, TARGET) == expected[0]


def test_nan_is_no_null() -> None:
    """In NumPy's dtypes, and in those of polars and Arrow, which have both."""
    for column in (
        pd.Series([0.5, np.nan]),
        pl.Series([0.5, float("nan")]),
        pa.array([0.5, float("nan")]),
    ):
        assert np.isnan(fl.mse_loss(column, [0.0, 0.0]))
    with pytest.raises(ValueError, match="position 1"):
        fl.mse_loss(pa.array([float("nan"), None]), [0.0, 0.0])


def test_tables() -> None:
    numbers = {"a": [1.0, 2.0, 4.0], "b": [0.0, 3.0, -1.0]}
    plain = np.column_stack(list(numbers.values()))
    labels = [0, 1, 0]
    expected = fl.cross_entropy.value_and_grad(plain, labels)
    for table in (
        pd.DataFrame(numbers),
        pd.DataFrame(numbers, dtype="Float64"),
        pd.DataFrame(numbers).astype({"a": "double[pyarrow]"}),
        pl.DataFrame(numbers),
        pa.table(numbers),
        pa.RecordBatch.from_pydict(numbers),
        pl.Series(plain.tolist(), dtype=pl.Array(pl.Float64, 2)),
        pa.FixedSizeListArray.from_arrays(pa.array(plain.ravel()), 2),
    ):
        value, grad = fl.cross_entropy.value_and_grad(table, pd.Series(labels, index=[7, 8, 9]))
        assert value == pytest.approx(expected[0], rel=1e-15)
        assert type(grad) is np.ndarray
        np.testing.assert_allclose(grad, expected[1], rtol=1e-14)


@pytest.mark.parametrize(
    "make",
    [
        lambda d: pd.DataFrame(d, dtype="Float64"),
        pl.DataFrame,
        pa.table,
        lambda d: pd.DataFrame(d, dtype=object),
    ],
)
def test_nulls_in_tables(make: Any) -> None:
    table = make({"a": [1.0, None, 4.0], "b": [0.0, 3.0, -1.0]})
    target = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r"input: holds nulls, the first at \[1, 0\]"):
        fl.mse_loss(table, target)
    kept = np.array([[True, True], [False, True], [True, True]])
    plain = np.array([[1.0, 0.0], [9.0, 3.0], [4.0, -1.0]])
    assert fl.mse_loss(table, target, where=kept) == fl.mse_loss(plain, target, where=kept)


def test_results_are_by_position() -> None:
    """Not by the index."""
    x = pd.Series([1.0, 2.0], index=[1, 0])
    t = pd.Series([1.0, 2.0], index=[0, 1])
    assert fl.mse_loss(x, t) == 0


WORDS = ["cat", "dog", "cat"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array(WORDS), r"target: dtype <U3 .*return_inverse"),
        (np.array(WORDS, dtype=object), "target: dtype object, with strings, .*return_inverse"),
        (np.array([1, {}], dtype=object), r"target: dtype object, of dict, int, .*astype"),
        (pd.Series(WORDS), "target: pandas' dtype str .*factorize"),
        (
            pd.Series(WORDS, dtype="category"),
            r"target: pandas' dtype category .*target\.cat\.codes",
        ),
        (pd.Series(WORDS, dtype="string[pyarrow]"), "target: pandas' dtype string .*factorize"),
        (pd.Series(pd.to_datetime(["2026-01-01"] * 3)), "target: dtype datetime64"),
        (pd.NA, "target: pandas' NAType"),
        (pl.Series(WORDS), "target: polars' dtype String .*factorize"),
        (pl.Series(WORDS, dtype=pl.Categorical), r"target: polars' dtype Categorical.*to_physical"),
        (pl.Series([[1.0, None]]), "target: polars' dtype List.* with nulls"),
        (pl.LazyFrame({"a": [1]}), r"target: polars' LazyFrame .*collect\(\)"),
        (pa.array(WORDS), "target: Arrow's type string .*factorize"),
        (pa.array(WORDS).dictionary_encode(), "target: Arrow's type dictionary"),
        (None, "target: an array is needed, got None"),
    ],
    ids=str,
)
def test_what_is_no_numbers(value: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        fl.mse_loss(np.zeros(3), value)


def test_dask_is_not_computed() -> None:
    dask = pytest.importorskip("dask")
    array = pytest.importorskip("dask.array")
    computed = []
    part = dask.delayed(computed.append)(1)
    lazy = array.from_delayed(part, (3,), dtype=float)
    for value in (lazy, part):
        with pytest.raises(TypeError, match=r"input: a Dask collection.*input\.compute\(\) first"):
            fl.mse_loss(value, 0.0)
    assert not computed


def test_sparse_matrices_are_refused() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    for value in (sparse.eye(3, format="csr"), sparse.coo_array(np.eye(3))):
        with pytest.raises(TypeError, match=r"input: a sparse \w+ .*input\.toarray\(\) first"):
            fl.mse_loss(value, 0.0)


def test_lists_of_one_length() -> None:
    kind = pa.list_(pa.float64(), 2)
    rows = pa.array([[9.0, 9], [1, 2], None, [3, None]], kind)
    where = np.array([[1, 1], [0, 0], [1, 0]], bool)
    for array in (rows[1:], pa.chunked_array([rows[1:2], rows[2:]])):
        with pytest.raises(ValueError, match=r"input: holds nulls, the first at \[1, 0\]"):
            fl.mse_loss(array, 0.0)
        assert fl.mse_loss(array, 0.0, where=where) == 14 / 3


def test_nulls_where_no_mask_is_taken() -> None:
    lengths = pd.Series([None], dtype="Int64")
    with pytest.raises(ValueError, match=r"input_lengths: holds nulls, .* drop these rows$"):
        fl.ctc_loss(np.zeros((3, 1, 3)), [[1]], lengths, [1])
    with pytest.raises(TypeError, match="input: Arrow's type null"):
        fl.mse_loss(pa.nulls(2), 0.0)
