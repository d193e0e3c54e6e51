"""Arrays of other packages as NumPy arrays, without importing these packages.

Whose an object is, its type says: the module in which that, or one of its bases, is defined.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

import numpy as np

from fusedloss._core.types import Array


class NullsError(ValueError):
    """An operand holds nulls. `filled` are its numbers with something in their places, `nulls`
    says where these are."""

    BY_WHERE: Final = "; losses also leave them out by where="

    def __init__(self, name: str, filled: Array, nulls: Array) -> None:
        first = np.unravel_index(int(np.argmax(nulls)), nulls.shape)
        at = ", ".join(map(str, first))
        if nulls.ndim == 0:
            text = f"{name}: is null"
        else:
            place = f"[{at}]" if nulls.ndim > 1 else f"position {at}"
            text = f"{name}: holds nulls, the first at {place}"
        super().__init__(f"{text}; fill them or drop these rows{self.BY_WHERE}")
        self.name, self.filled, self.nulls = name, filled, nulls


def is_masked(value: object) -> bool:
    """Whether this is a masked array. NumPy imports numpy.ma when it is first asked for: it takes
    milliseconds and memory; where it is not imported yet, there are no masked arrays."""
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)
    return masked is not None and isinstance(value, masked)


def plain_array(name: str, value: Any) -> Array:
    """The value as an array: of what a caller gives as an operand and is no array."""
    kind = type(value)
    for base in kind.__mro__:
        package = base.__module__.partition(".")[0]
        convert = _CONVERTERS.get(package)
        if convert is not None:
            return convert(name, value)
    if value is None:
        raise TypeError(f"{name}: an array is needed, got None")
    if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
        return _from_dlpack(name, value)
    return _as_array(name, value)


def _as_array(name: str, value: Any) -> Array:
    """By the value's own conversion. What it raises stays as it is, but for the name."""
    try:
        return np.asarray(value)
    except Exception as error:
        text = f"{name}: cannot be made an array: {error}"
        error.args = (text,)
        if name not in str(error):  # of a type with a text of its own
            error.add_note(text)
        raise


def _from_dlpack(name: str, value: Any) -> Array:
    device = value.__dlpack_device__()[0] if hasattr(value, "__dlpack_device__") else 1
    if device not in _MEMORY_OF_CPU:
        raise TypeError(
            f"{name}: {type(value).__module__}.{type(value).__name__} in the memory of another "
            "device; fusedloss works on that of the CPU, so copy it to that first"
        )
    try:
        return np.from_dlpack(value)
    except Exception as error:
        raise TypeError(
            f"{name}: {type(value).__name__} cannot be read through DLPack: {error}"
        ) from None


#: What DLPack calls the CPU's memory: its own, and what it shares with a GPU.
_MEMORY_OF_CPU: Final = frozenset((1, 3, 13))


def bfloat16() -> np.dtype[Any]:
    """NumPy's dtype for bfloat16, that of ml_dtypes."""
    try:
        from ml_dtypes import bfloat16 as scalar
    except ImportError:
        raise ImportError(
            "bfloat16 tensors need the package ml_dtypes, which gives NumPy that dtype: "
            "pip install ml_dtypes"
        ) from None
    dtype: np.dtype[Any] = np.dtype(scalar)
    return dtype


# ---- torch and JAX -----------------------------------------------------------------


def _from_torch(name: str, value: Any) -> Array:
    if not hasattr(value, "requires_grad"):  # no tensor, but a dtype, a device or a size
        return _as_array(name, value)
    if value.requires_grad:
        raise TypeError(
            f"{name}: this tensor requires grad, which would be lost: fusedloss.torch has this "
            f"function with autograd, and {name}.detach() is the tensor without"
        )
    return tensor_memory(name, value)


def tensor_memory(name: str, value: Any) -> Array:
    """The memory of a tensor as an array."""
    device = value.device.type
    if device != "cpu":
        what = "it has no numbers" if device == "meta" else f"call {name}.cpu() first"
        raise TypeError(
            f"{name}: a tensor on the device {value.device}; fusedloss works on the CPU: {what}"
        )
    try:
        if value.element_size() == 2 and str(value.dtype) == "torch.bfloat16":
            import torch

            bits: Array = value.detach().view(torch.uint16).numpy()
            return bits.view(bfloat16())
        numbers: Array = value.detach().numpy()
    except (RuntimeError, TypeError) as error:
        raise TypeError(
            f"{name}: this {type(value).__name__} has no memory that can be read ({error}); within "
            "torch.func, torch.vmap or torch.compile use fusedloss.torch"
        ) from None
    return numbers


def _from_jax(name: str, value: Any) -> Array:
    if any(base.__name__ == "Tracer" for base in type(value).__mro__):
        raise TypeError(
            f"{name}: a JAX tracer, of jit, grad or vmap, which has no numbers yet; fusedloss.jax "
            "has this function for use within them"
        )
    if getattr(value, "is_deleted", bool)():
        raise ValueError(f"{name}: this JAX array has been deleted or donated")
    return _as_array(name, value)


# ---- tables ------------------------------------------------------------------------


def _no_numbers(name: str, what: Any, hint: str) -> NoReturn:
    raise TypeError(f"{name}: {what} is not accepted; it must be numbers or booleans: {hint}")


_CODES: Final = (
    "class names as numbers are given by np.unique(names, return_inverse=True) or by "
    "pandas.factorize(names)"
)


def check_object(name: str, array: Array) -> NoReturn:
    """What to say of an array of Python objects, or of strings."""
    kind = array.dtype
    if kind.kind in "US":
        _no_numbers(name, f"dtype {kind}", _CODES)
    types = {type(item).__name__ for item in array.reshape(-1)[:1000]}
    if "str" in types:
        _no_numbers(name, "dtype object, with strings,", _CODES)
    if types & {"NoneType", "NAType", "NaTType"}:
        missing = np.fromiter(
            (item is None or type(item).__name__ in ("NAType", "NaTType") for item in array.flat),
            bool,
            array.size,
        ).reshape(array.shape)
        try:
            filled = np.where(missing, np.nan, array).astype(np.float64)
        except (TypeError, ValueError):
            pass
        else:
            raise NullsError(name, filled, missing)
    _no_numbers(
        name, f"dtype object, of {', '.join(sorted(types))},", f"{name}.astype(float) may help"
    )


def _table(name: str, value: Any, columns: Iterable[Array]) -> Array:
    """A table as an array: the columns side by side."""
    columns = list(columns)
    if not columns:
        return np.empty((len(value), 0))
    return np.column_stack(columns)


def _with_nulls(name: str, parts: list[Any], read: Callable[[str, Any], Array]) -> list[Array]:
    """The columns of a table, or the error that tells all their nulls."""
    columns, nulls = [], []
    for part in parts:
        try:
            column = read(name, part)
            missing = np.zeros(column.shape, bool)
        except NullsError as error:
            column, missing = error.filled, error.nulls
        columns.append(column)
        nulls.append(missing)
    if any(missing.any() for missing in nulls):
        raise NullsError(name, np.column_stack(columns), np.column_stack(nulls))
    return columns


def _from_pandas(name: str, value: Any) -> Array:
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        if all(isinstance(dtype, np.dtype) for dtype in value.dtypes):
            array: Array = value.to_numpy()
            return array
        parts = [value.iloc[:, k] for k in range(value.shape[1])]
        return _table(name, value, _with_nulls(name, parts, _from_pandas))
    dtype = getattr(value, "dtype", None)
    if dtype is None:  # NA
        _no_numbers(name, f"pandas' {type(value).__name__}", "a Series or a number is needed")
    if isinstance(dtype, np.dtype):
        return _as_array(name, value)
    text = str(dtype)
    if text == "category":
        _no_numbers(name, "pandas' dtype category", f"{name}.cat.codes are its class numbers")
    if dtype.kind not in "biuf":
        _no_numbers(name, f"pandas' dtype {text}", _CODES if dtype.kind in "OU" else "convert it")
    nulls = np.asarray(value.isna(), bool)
    plain = np.dtype(getattr(dtype, "numpy_dtype", None) or getattr(dtype, "subtype", "f8"))
    if not nulls.any():
        return value.to_numpy(dtype=plain)  # type: ignore[no-any-return]
    fill = np.nan if plain.kind == "f" else False if plain.kind == "b" else 0
    raise NullsError(name, value.to_numpy(dtype=plain, na_value=fill), nulls)


def _from_polars(name: str, value: Any) -> Array:
    kind = type(value).__name__
    if kind == "DataFrame":
        if any(value.null_count().row(0)):
            _with_nulls(name, value.get_columns(), _from_polars)
        if all(dtype.is_numeric() for dtype in value.dtypes):
            return value.to_numpy()  # type: ignore[no-any-return]
        return _table(name, value, [_from_polars(name, part) for part in value.get_columns()])
    if kind != "Series":
        hint = f"call {name}.collect() first" if kind == "LazyFrame" else "a Series is needed"
        _no_numbers(name, f"polars' {kind}", hint)
    dtype = value.dtype
    text = str(dtype)
    if text.startswith(("Categorical", "Enum")):
        _no_numbers(name, f"polars' dtype {text}", f"{name}.to_physical() are its class numbers")
    if text.startswith(("Array", "List")):
        if value.explode().null_count():
            _no_numbers(name, f"polars' dtype {text} with nulls in it", "fill them")
    elif not (dtype.is_numeric() or text == "Boolean"):
        _no_numbers(name, f"polars' dtype {text}", _CODES if text == "String" else "convert it")
    if text.startswith("Decimal"):
        _no_numbers(name, f"polars' dtype {text}", "cast it to a float")
    if not value.null_count():
        return value.to_numpy()  # type: ignore[no-any-return]
    nulls = np.asarray(value.is_null().to_numpy(), bool)
    fill = np.nan if dtype.is_float() else False if text == "Boolean" else 0
    raise NullsError(name, value.fill_null(fill).to_numpy(), nulls)


def _from_pyarrow(name: str, value: Any) -> Array:
    if hasattr(value, "columns"):  # a table or a batch of rows
        parts = list(value.columns)
        return _table(name, value, _with_nulls(name, parts, _from_pyarrow))
    if hasattr(value, "as_py"):
        return _as_array(name, value.as_py())
    text = str(value.type)
    if text.startswith(("dictionary", "string", "large_string", "binary", "decimal")):
        hint = "cast it to a float" if text.startswith("decimal") else _CODES
        _no_numbers(name, f"Arrow's type {text}", hint)
    if text == "null":
        _no_numbers(name, "Arrow's type null", "nothing in it is a number")
    if text.startswith("fixed_size_list"):
        return _rows_of_arrow(name, value)
    if value.null_count:
        nulls = np.asarray(value.is_null().to_numpy(zero_copy_only=False), bool)
        fill = np.nan if text in ("halffloat", "float", "double") else 0
        filled = value.fill_null(False if text == "bool" else fill)
        raise NullsError(name, filled.to_numpy(zero_copy_only=False), nulls)
    if hasattr(value, "to_numpy_ndarray"):  # of tensors of one shape
        return value.to_numpy_ndarray()  # type: ignore[no-any-return]
    if hasattr(value, "chunks"):
        return value.to_numpy()  # type: ignore[no-any-return]
    return value.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _rows_of_arrow(name: str, value: Any) -> Array:
    """Lists of one length as rows. A list that is null is a row of nulls."""
    width = value.type.list_size
    if hasattr(value, "chunks"):
        value = value.combine_chunks()
    start = value.offset * width
    missing = np.asarray(value.is_null().to_numpy(zero_copy_only=False), bool)
    shape = len(value), width
    try:
        items = _from_pyarrow(name, value.values[start : start + len(value) * width])
        nulls = np.zeros(shape, bool)
    except NullsError as error:
        items, nulls = error.filled, error.nulls.reshape(shape)
    items = items.reshape(shape)
    nulls = nulls | missing[:, None]
    if nulls.any():
        raise NullsError(name, items, nulls)
    return items


# ---- what is refused ---------------------------------------------------------------


def _refuse_dask(name: str, value: Any) -> NoReturn:
    raise TypeError(
        f"{name}: a Dask collection, which is not computed in silence, as it may not fit into "
        f"memory; call {name}.compute() first, or the loss for each block, as map_blocks does"
    )


def _from_scipy(name: str, value: Any) -> Array:
    if hasattr(value, "toarray"):
        raise TypeError(
            f"{name}: a sparse {type(value).__name__} is not accepted; call {name}.toarray() first"
        )
    return _as_array(name, value)


#: By the package's name.
_CONVERTERS: Final[dict[str, Callable[[str, Any], Array]]] = {
    "dask": _refuse_dask,
    "jax": _from_jax,
    "jaxlib": _from_jax,
    "pandas": _from_pandas,
    "polars": _from_polars,
    "pyarrow": _from_pyarrow,
    "scipy": _from_scipy,
    "torch": _from_torch,
}


# ---- buffers -----------------------------------------------------------------------


def buffer_memory(name: str, buffer: Any) -> Any:
    """The memory of a buffer that is no NumPy array, as one; anything else as it is."""
    if isinstance(buffer, np.ndarray):
        return buffer
    if type(buffer) is tuple:
        return tuple(buffer_memory(f"{name}[{k}]", part) for k, part in enumerate(buffer))
    packages = {base.__module__.partition(".")[0] for base in type(buffer).__mro__}
    if "torch" in packages and hasattr(buffer, "requires_grad"):
        if buffer.requires_grad:
            raise TypeError(f"{name}: a tensor that requires grad cannot be written to")
        return tensor_memory(name, buffer)
    if packages & {"jax", "jaxlib"}:
        raise TypeError(f"{name}: JAX arrays cannot be written to; a NumPy array is needed")
    if hasattr(buffer, "__dlpack__"):
        return _from_dlpack(name, buffer)
    return buffer  # refused where its shape is looked at
