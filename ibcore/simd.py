"""Vectors of 32 numbers for compiled loops: what a loop over samples works on at once.

LLVM maps a vector onto the registers that the processor has: two of AVX-512, four of AVX2, eight of
NEON. Written with vectors, a loop keeps its partial results in registers, which the automatic
vectoriser does not manage for products of matrices that are 2 to 12 wide.

``load``, ``store``, ``fill``, ``fma``, ``smaller``, ``larger``, ``where_positive``, ``total``,
``square_root``, ``polynomial``, ``decay``, ``dusted`` and the operators + - * / work inside
functions compiled by Numba, on float32 and on float64.
"""

import operator
from collections.abc import Callable
from typing import Any, Literal, TypedDict

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

LANES = 32
# Sums may be taken in another order; NaN and infinity keep their meaning.
FLAGS = ("contract", "reassoc", "nsz", "arcp")


class Options(TypedDict, total=False):
    """What Numba is told about a function, as ``njit(**COMPILED)``."""

    nogil: bool
    cache: bool
    error_model: Literal["numpy"]
    fastmath: set[str]
    forceinline: bool


COMPILED: Options = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": set(FLAGS),
}
INLINE: Options = {**COMPILED, "forceinline": True}

Lanes = Any
"""A vector of LANES numbers inside compiled code, where no checker of types looks."""


def _inlined(definition: Callable[..., Any]) -> Callable[..., Any]:
    """What Numba writes into the code of a caller: an intrinsic, called without ``typing``."""
    return intrinsic(definition)


class Vector(types.Type):
    """LANES numbers of one float type."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype}, {LANES})")


def _llvm(dtype):
    return ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), LANES)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _llvm(kind.dtype))


def _spread(context, builder, value, kind, dtype):
    """The number ``value`` in all lanes."""
    value = context.cast(builder, value, kind, dtype)
    empty = ir.Constant(_llvm(dtype), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, empty, everywhere)


def _operands(context, builder, signature, values, dtype):
    """Arguments as vectors: numbers are spread over all lanes."""
    return [
        value if isinstance(kind, Vector) else _spread(context, builder, value, kind, dtype)
        for value, kind in zip(values, signature.args, strict=True)
    ]


def _pointer(context, builder, signature, values):
    """Address of array[index], as that of a vector."""
    array, index = signature.args[:2]
    data = context.make_array(array)(context, builder, values[0]).data
    place = builder.gep(data, [context.cast(builder, values[1], index, types.intp)])
    return builder.bitcast(place, _llvm(array.dtype).as_pointer())


def _suffix(dtype):
    return f"v{LANES}f{dtype.bitwidth}"


@_inlined
def load(typing, array, index):
    """array[index : index + LANES] of a contiguous array of one axis; no bounds are checked."""

    def code(context, builder, signature, values):
        place = _pointer(context, builder, signature, values)
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return Vector(array.dtype)(array, index), code


@_inlined
def store(typing, array, index, vector):
    """array[index : index + LANES] = vector; no bounds are checked."""

    def code(context, builder, signature, values):
        place = _pointer(context, builder, signature, values)
        builder.store(values[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, index, vector), code


@_inlined
def fill(typing, number, like):
    """A vector with ``number`` in all lanes, of the type of the array or vector ``like``."""

    def code(context, builder, signature, values):
        return _spread(context, builder, values[0], number, like.dtype)

    return Vector(like.dtype)(number, like), code


def _elementwise(build):
    """An intrinsic of two vectors, or of a vector and a number."""

    @_inlined
    def operation(typing, a, b):
        kind = a if isinstance(a, Vector) else b

        def code(context, builder, signature, values):
            return build(builder, *_operands(context, builder, signature, values, kind.dtype))

        return kind(a, b), code

    return operation


def _operator(symbol, method):
    """Let Python's operator work on vectors."""
    work = _elementwise(lambda builder, a, b: getattr(builder, method)(a, b, flags=FLAGS))

    @overload(symbol)
    def use(a, b):
        if isinstance(a, Vector) or isinstance(b, Vector):
            return lambda a, b: work(a, b)


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")

# Where an operand is NaN the result is NaN for ``x`` as first operand: the comparison is unordered.
smaller = _elementwise(
    lambda builder, x, y: builder.select(builder.fcmp_unordered("<", x, y), x, y)
)
larger = _elementwise(lambda builder, x, y: builder.select(builder.fcmp_unordered(">", x, y), x, y))


@_inlined
def fma(typing, a, b, c):
    """a * b + c, rounded once where the processor can."""
    kind = next(one for one in (a, b, c) if isinstance(one, Vector))

    def code(context, builder, signature, values):
        llvm = _llvm(kind.dtype)
        name = f"llvm.fmuladd.{_suffix(kind.dtype)}"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(llvm, [llvm] * 3), name
        )
        return builder.call(function, _operands(context, builder, signature, values, kind.dtype))

    return kind(a, b, c), code


@_inlined
def where_positive(typing, z, a, b):
    """In each lane a if z > 0, else b."""

    def code(context, builder, signature, values):
        z, a, b = _operands(context, builder, signature, values, signature.args[0].dtype)
        return builder.select(builder.fcmp_ordered(">", z, ir.Constant(z.type, None)), a, b)

    return z(z, a, b), code


@_inlined
def total(typing, vector):
    """Sum of the lanes."""

    def code(context, builder, signature, values):
        llvm = _llvm(vector.dtype)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(llvm.element, [llvm.element, llvm]),
            f"llvm.vector.reduce.fadd.{_suffix(vector.dtype)}",
        )
        zero = ir.Constant(llvm.element, -0.0)
        return builder.call(function, [zero, values[0]], fastmath=FLAGS)

    return vector.dtype(vector), code


def _function(name):
    """An intrinsic of one vector: LLVM's function of that name."""

    @_inlined
    def operation(typing, vector):
        def code(context, builder, signature, values):
            llvm = _llvm(vector.dtype)
            function = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(llvm, [llvm]),
                f"llvm.{name}.{_suffix(vector.dtype)}",
            )
            return builder.call(function, values)

        return vector(vector), code

    return operation


nearest = _function("rint")  # whole numbers
square_root = _function("sqrt")
_size = _function("fabs")


@_inlined
def power_of_two(typing, exponent):
    """2**k for whole k of the normal range: the bits of the exponent, set directly."""

    def code(context, builder, signature, values):
        bits, shift, bias = (32, 23, 127) if exponent.dtype == types.float32 else (64, 52, 1023)
        whole = ir.VectorType(ir.IntType(bits), LANES)
        k = builder.fptosi(values[0], whole)
        k = builder.add(k, ir.Constant(whole, [bias] * LANES))
        k = builder.shl(k, ir.Constant(whole, [shift] * LANES))
        return builder.bitcast(k, _llvm(exponent.dtype))

    return exponent(exponent), code


WHOLE = ir.VectorType(ir.IntType(32), LANES)


@_inlined
def load_whole(typing, words, index):
    """words[index : index + LANES] // 2 of 32-bit words, as float32 numbers of [0, 2**31)."""

    def code(context, builder, signature, values):
        data = context.make_array(words)(context, builder, values[0]).data
        place = builder.gep(data, [context.cast(builder, values[1], index, types.intp)])
        found = builder.load(builder.bitcast(place, WHOLE.as_pointer()), align=4)
        found = builder.lshr(found, ir.Constant(WHOLE, [1] * LANES))
        return builder.sitofp(found, _llvm(types.float32))

    return Vector(types.float32)(words, index), code


@_inlined
def exponent(typing, vector):
    """The whole k for which x / 2**k lies in [√½, √2), of positive float32 numbers x."""

    def code(context, builder, signature, values):
        k = builder.bitcast(values[0], WHOLE)
        k = builder.sub(k, ir.Constant(WHOLE, [0x3F3504F3] * LANES))  # the bits of √½
        k = builder.ashr(k, ir.Constant(WHOLE, [23] * LANES))
        return builder.sitofp(k, _llvm(vector.dtype))

    return vector(vector), code


@_inlined
def as_type_of(typing, vector, like):
    """The same numbers in the float type of the array ``like``."""
    kind = Vector(like.dtype)

    def code(context, builder, signature, values):
        if kind == vector:
            return values[0]
        wider = kind.dtype.bitwidth > vector.dtype.bitwidth
        return (builder.fpext if wider else builder.fptrunc)(values[0], _llvm(kind.dtype))

    return kind(vector, like), code


def fitted(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    degree: int,
    low: float = -1.0,
    high: float = 1.0,
) -> NDArray[np.float64]:
    """Coefficients, highest first, of the polynomial through the Chebyshev nodes of an interval."""
    found = Chebyshev.interpolate(function, degree, domain=[low, high])
    return np.array(found.convert(kind=Polynomial).coef[::-1], np.float64)


TAYLOR = np.array([1 / float(np.prod(np.arange(1.0, k + 1))) for k in range(13)])[::-1].copy()


@njit(**INLINE)
def polynomial(x: Lanes, coefficients: NDArray[np.float64]) -> Lanes:
    """Horner's rule; coefficients from the highest power down."""
    p = fill(coefficients[0], x)
    for k in range(1, len(coefficients)):
        p = fma(p, x, coefficients[k])
    return p


DUST = 1e-30  # far below whatever counts, far above the numbers that cost an assist


@njit(**INLINE)
def dusted(x: Lanes) -> Lanes:
    """x, or 0 where |x| < DUST: products of what is left are no subnormal numbers. NaN stays."""
    return where_positive(DUST - _size(x), 0.0, x)


@njit(**INLINE)
def decay(x: Lanes) -> Lanes:
    """exp(x) for x <= 0, at least exp(-87)."""
    x = larger(x, -87.0)
    k = nearest(x * 1.4426950408889634)
    # ln 2 in two parts: k times the first one is exact
    r = fma(k, -0.693359375, x)
    r = fma(k, 2.121944400546905827679e-4, r)
    return polynomial(r, TAYLOR) * power_of_two(k)
