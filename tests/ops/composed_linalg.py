"""Entries of the table of functions: decompositions, linear systems, transforms, blocks of images, attention.

Decompositions are tested by what they are for: their factors make the matrix, or are those of NumPy, where
these are unique.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tests.ops.composed import ONE, TWO, Call, Entry
from tests.ops.draws import between, distinct, integers
from tests.ops.linalg_rows import definite, spread
from tests.ops.oracles import softmax

from ranvier import ops

_STACK = ((2, 4, 4),)
_ULPS = 2000.0  # of well-conditioned matrices


def _doubled(function: Any) -> Any:
    """LAPACK has no long double."""

    def run(*args: Any, **kwargs: Any) -> Any:
        args = tuple(np.asarray(a, np.float64) if isinstance(a, np.ndarray) else a for a in args)
        return function(*args, **kwargs)

    return run


def _linalg(name: str, *calls: Call, oracle: Any = None, draw: Any = spread, **options: Any) -> Entry:
    oracle = _doubled(oracle or getattr(np.linalg, name))
    return Entry(
        name,
        oracle,
        calls or ONE,
        **{"shapes": _STACK, "draws": (draw,), "smooth": (0,), "ulps": _ULPS, **options},
    )


def _solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else np.linalg.solve(a, b)


def _solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    return _solve(np.tril(a) if lower else np.triu(a), b)


def _identity_of(product: Any) -> Any:
    """A call whose value is the matrix itself: of a decomposition, the product; of the oracle, x."""
    return lambda f, x: x if f is _itself else product(f, x)


def _itself(x: Any) -> Any:
    return x


def _factors(
    name: str, product: Any, *shapes: tuple[int, ...], draw: Any = spread, smooth: bool = True
) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            name,
            _itself,
            (_identity_of(product),),
            (shape,),
            (draw,),
            smooth=(0,) if smooth else (),
            ulps=_ULPS,
        )
        for shape in shapes
    )


def _t(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2)


def _svd_product(f: Any, x: Any, full: bool) -> Any:
    u, s, vt = f(x, full_matrices=full)
    k = s.shape[-1]
    return ops.matmul(u[..., :k] * s[..., None, :], vt[..., :k, :])


def _lu_product(f: Any, x: Any) -> Any:
    """L U with the rows put back, the last exchange first."""
    lu, pivots = f(x)
    n = lu.shape[-1]
    product = ops.matmul(ops.tril(lu, -1) + np.eye(n, dtype="float32"), ops.triu(lu))
    rows = ops.cast(pivots, "int32")
    order = np.arange(n)
    for k in reversed(range(n)):
        pivot = rows[..., k : k + 1]
        here, there = product[..., k : k + 1, :], ops.take_along_axis(product, pivot[..., None], -2)
        is_k, is_pivot = order == k, ops.equal(order, pivot)
        swapped = ops.where(is_pivot[..., None], here, product)
        product = ops.where(is_k[:, None], there, swapped)
    return product


DECOMPOSITIONS = (
    _linalg("det"),
    _linalg("inv"),
    _linalg("slogdet", oracle=lambda x: list(np.linalg.slogdet(x))),
    _linalg("logdet", oracle=lambda x: np.linalg.slogdet(x)[1], draw=definite),
    _linalg(
        "cholesky",
        ONE[0],
        lambda f, x: f(x, upper=True),
        draw=definite,
        oracle=lambda x, upper=False: np.linalg.cholesky(x, upper=upper),
    ),
    _linalg(
        "cholesky_inverse",
        ONE[0],
        lambda f, x: f(x, upper=True),
        oracle=lambda x, upper=False: np.linalg.inv(
            np.triu(x).mT @ np.triu(x) if upper else np.tril(x) @ np.tril(x).mT
        ),
    ),
    *(
        _linalg("solve", TWO[0], oracle=_solve, shapes=shapes, smooth=(0, 1))
        for shapes in (((3, 3), (3, 2)), ((3, 3), (3,)), ((2, 3, 3), (2, 3)))
    ),
    _linalg(
        "solve_triangular",
        TWO[0],
        lambda f, a, b: f(a, b, lower=True),
        oracle=_solve_triangular,
        shapes=((2, 3, 3), (2, 3, 2)),
        smooth=(0, 1),
    ),
    *_factors("qr", lambda f, x: ops.matmul(*f(x)), (4, 4), (2, 5, 3)),
    *_factors("qr", lambda f, x: ops.matmul(*f(x, mode="complete")), (5, 3), (3, 5), smooth=False),
    *_factors("lu_factor", _lu_product, (4, 4), (2, 5, 5)),
    *_factors(
        "eigh",
        lambda f, x: ops.matmul(f(x)[1] * f(x)[0][..., None, :], _t(f(x)[1])),
        (4, 4),
        (2, 3, 3),
        draw=definite,
        smooth=False,
    ),
    *_factors("svd", lambda f, x: _svd_product(f, x, False), (4, 4), (2, 5, 3), (3, 5)),
    *_factors("svd", lambda f, x: _svd_product(f, x, True), (5, 3), (3, 5), smooth=False),
    _linalg("svd", lambda f, x: f(x, compute_uv=False), shapes=((2, 5, 3),)),
    _linalg("pinv", ONE[0], lambda f, x: f(x, rcond=0.5), shapes=((2, 5, 3),), smooth=(0,)),
    _linalg("matrix_rank", ONE[0], lambda f, x: f(x, 2.0), shapes=((2, 5, 3),), smooth=()),
    _linalg(
        "lstsq",
        TWO[0],
        oracle=lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0],
        shapes=((5, 3), (5, 2)),
        smooth=(0, 1),
    ),
    _linalg(
        "lstsq",
        TWO[0],
        oracle=lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0],
        shapes=((3, 5), (3,)),
        smooth=(0, 1),
        draws=(spread, between(-1, 1)),
    ),
    _linalg(
        "norm",
        *(lambda f, x, o=o: f(x, ord=o, axis=(0, 1)) for o in (2, -2, "nuc")),
        lambda f, x: f(x, ord=2, axis=(1, 0), keepdims=True),
        shapes=((4, 3),),
    ),
)

# --- transforms ---


def _complex(function: Any) -> Any:
    """NumPy's function of complex numbers as one of pairs."""

    def run(x: Any, *args: Any, **kwargs: Any) -> Any:
        value = np.asarray(x[0] + 1j * x[1]) if isinstance(x, (tuple, list)) else x
        result = function(value, *args, **kwargs)
        return [result.real, result.imag] if np.iscomplexobj(result) else result

    return run


_TRANSFORM: tuple[Call, ...] = (lambda f, x, y: f((x, y)),)


def _stft(x: Any, length: int, stride: int, n: int, window: Any = "hann", center: bool = True) -> Any:
    x = np.pad(x, (n // 2, n // 2), mode="reflect") if center else x
    shape = {"hann": np.hanning, "hamming": np.hamming, None: np.ones}[window](length + (window is not None))[
        :length
    ]
    before = (n - length) // 2
    shape = np.pad(shape, (before, n - length - before))
    pieces = np.stack([x[i : i + n] * shape for i in range(0, len(x) - n + 1, stride)])
    result = np.fft.rfft(pieces)
    return [result.real, result.imag]


FOURIER = (
    *(
        Entry("fft", _complex(np.fft.fft), _TRANSFORM, (shape, shape), smooth=(0, 1), ulps=256)
        for shape in ((2, 5), (1,), (3, 8))
    ),
    *(
        Entry("fft", _complex(np.fft.fft), _TRANSFORM, (shape, shape), ulps=2048)
        for shape in ((96,), (101,), (1024,))
    ),
    Entry("fft2", _complex(np.fft.fft2), _TRANSFORM, ((2, 4, 3), (2, 4, 3)), smooth=(0, 1), ulps=256),
    Entry("ifft2", _complex(np.fft.ifft2), _TRANSFORM, ((2, 4, 3), (2, 4, 3)), smooth=(0, 1), ulps=256),
    Entry(
        "rfft",
        _complex(np.fft.rfft),
        (ONE[0], lambda f, x: f(x, 8), lambda f, x: f(x, 3)),
        ((2, 6),),
        smooth=(0,),
        ulps=256,
    ),
    *(
        Entry(
            "irfft",
            _complex(np.fft.irfft),
            (lambda f, x, y: f((x, y)), lambda f, x, y, n=n: f((x, y), n)),
            ((2, 4), (2, 4)),
            smooth=(0, 1),
            ulps=256,
        )
        for n in (5, 9, 4)
    ),
    Entry(
        "stft",
        _stft,
        (
            lambda f, x: f(x, 4, 2, 8),
            lambda f, x: f(x, 5, 3, 6, window="hamming"),
            lambda f, x: f(x, 4, 2, 4, window=None, center=False),
        ),
        ((12,),),
        smooth=(0,),
        ulps=512,
    ),
    # The signal comes back.
    Entry(
        "istft",
        _itself,
        (lambda f, x: x if f is _itself else f(ops.stft(x, 6, 2, 8), 6, 2, 8, length=12),),
        ((12,),),
        smooth=(0,),
        ulps=512,
    ),
)

# --- blocks, names, attention ---


def _rearrange(x: Any, pattern: str, **lengths: int) -> Any:
    return {
        "a b c -> c (a b)": lambda: x.transpose(2, 0, 1).reshape(4, 6),
        "a (b d) c -> d a c b": lambda: x.reshape(2, 1, 3, 4).transpose(2, 0, 3, 1),
    }[pattern]()


def _space_to_depth(x: Any, b: int, data_format: str = "channels_last") -> Any:
    blocks = [(i, j) for i in range(b) for j in range(b)]
    if data_format == "channels_first":  # a channel's block stays together
        parts = np.stack([x[:, :, i::b, j::b] for i, j in blocks], 2)
        return parts.reshape(x.shape[0], -1, *parts.shape[3:])
    return np.concatenate([x[:, i::b, j::b] for i, j in blocks], -1)


def _pool(x: Any, pool_size: Any, strides: Any, padding: str, data_format: str, reduce: Any) -> Any:
    """Over two axes, a window at a time."""
    if data_format == "channels_first":
        x = np.moveaxis(x, 1, -1)
    window = (pool_size,) * 2 if isinstance(pool_size, int) else pool_size
    stride = (strides or window,) * 2 if isinstance(strides, int) else strides or window
    axes = []
    for n, k, s in zip(x.shape[1:3], window, stride, strict=True):
        count = (n - k) // s + 1 if padding == "valid" else -(-n // s)
        before = max((count - 1) * s + k - n, 0) // 2 if padding == "same" else 0
        axes.append([(max(i * s - before, 0), i * s - before + k) for i in range(count)])
    rows = [np.stack([reduce(x[:, a:b, c:d], (1, 2)) for c, d in axes[1]], 1) for a, b in axes[0]]
    out = np.stack(rows, 1)
    return np.moveaxis(out, -1, 1) if data_format == "channels_first" else out


def _max_pool(x: Any, size: Any, strides: Any = None, padding: str = "valid", data_format: str = "") -> Any:
    return _pool(x, size, strides, padding, data_format, np.max)


def _average_pool(
    x: Any, size: Any, strides: Any = None, padding: str = "valid", data_format: str = ""
) -> Any:
    return _pool(x, size, strides, padding, data_format, np.mean)


def _adaptive(x: Any, output_size: tuple[int, int], data_format: str, reduce: Any) -> Any:
    first = 2 if data_format == "channels_first" else 1
    for axis, n in enumerate(output_size, start=first):
        size = x.shape[axis]
        ends = [(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]
        x = np.stack([reduce(np.take(x, range(a, b), axis), axis) for a, b in ends], axis)
    return x


def _adaptive_max_pool(x: Any, output_size: tuple[int, int], data_format: str = "") -> Any:
    return _adaptive(x, output_size, data_format, np.max)


def _adaptive_average_pool(x: Any, output_size: tuple[int, int], data_format: str = "") -> Any:
    return _adaptive(x, output_size, data_format, np.mean)


_POOLS: tuple[Call, ...] = (
    lambda f, x: f(x, 2),
    lambda f, x: f(x, (2, 3), (1, 2), "same"),
    lambda f, x: f(x, (3, 1), 2, data_format="channels_first"),
)
_ADAPTIVE: tuple[Call, ...] = (
    lambda f, x: f(x, (2, 3)),
    lambda f, x: f(x, (2, 7)),
    lambda f, x: f(x, (2, 3), "channels_first"),
)


def _depth_to_space(x: Any, b: int, data_format: str = "channels_last") -> Any:
    """By the inverse, of the numbers of the elements."""
    n, shape = x.shape[0], x.shape[1:]
    if data_format == "channels_first":
        image = (n, shape[0] // b**2, shape[1] * b, shape[2] * b)
    else:
        image = (n, shape[0] * b, shape[1] * b, shape[2] // b**2)
    result = np.zeros(image, x.dtype).ravel()
    result[_space_to_depth(np.arange(result.size).reshape(image), b, data_format)] = x
    return result.reshape(image)


def _unfold(x: Any, kernel: Any, dilation: int = 1, padding: int = 0, stride: int = 1) -> Any:
    kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    n, c, h, w = x.shape
    columns = [
        x[
            :, :, i : i + dilation * (kh - 1) + 1 : dilation, j : j + dilation * (kw - 1) + 1 : dilation
        ].reshape(n, -1)
        for i in range(0, h - dilation * (kh - 1), stride)
        for j in range(0, w - dilation * (kw - 1), stride)
    ]
    return np.stack(columns, -1)


def _fold(x: Any, size: Any, kernel: Any, **options: int) -> Any:
    """The transpose of `_unfold`, by applying that to each unit image."""
    n, c = x.shape[0], x.shape[1] // (kernel * kernel)
    result = np.zeros((n, c, *size), x.dtype)
    for at in np.ndindex(c, *size):
        unit = np.zeros((1, c, *size), x.dtype)
        unit[(0, *at)] = 1
        result[(slice(None), *at)] = (x * _unfold(unit, kernel, **options)).sum((1, 2))
    return result


def _attention(
    q: Any, k: Any, v: Any, bias: Any = None, mask: Any = None, scale: Any = None, is_causal: bool = False
) -> Any:
    groups = q.shape[2] // k.shape[2]
    k, v = np.repeat(k, groups, 2), np.repeat(v, groups, 2)
    scores = np.einsum("blhd,bkhd->bhlk", q, k) * (1 / math.sqrt(q.shape[3]) if scale is None else scale)
    scores = scores if bias is None else scores + bias
    scores = scores if mask is None else np.where(mask, scores, -np.inf)
    scores = np.where(np.tri(*scores.shape[2:], dtype=bool), scores, -np.inf) if is_causal else scores
    return np.einsum("bhlk,bkhd->blhd", softmax(scores), v)


_KEYS = np.arange(4) != 2

BLOCKS = (
    Entry(
        "rearrange",
        _rearrange,
        (lambda f, x: f(x, "a b c -> c (a b)"), lambda f, x: f(x, "a (b d) c -> d a c b", d=3)),
        ((2, 3, 4),),
        smooth=(0,),
        ulps=0,
    ),
    Entry("space_to_depth", _space_to_depth, (lambda f, x: f(x, 2),), ((2, 4, 6, 3),), smooth=(0,), ulps=0),
    Entry(
        "space_to_depth",
        _space_to_depth,
        (lambda f, x: f(x, 2, data_format="channels_first"),),
        ((2, 3, 4, 6),),
        ulps=0,
    ),
    *(
        Entry(name, oracle, _POOLS, ((1, 4, 5, 2),), (distinct(0.03),), smooth=(0,))
        for name, oracle in (("max_pool", _max_pool), ("average_pool", _average_pool))
    ),
    Entry("max_pool", _max_pool, _POOLS, ((1, 4, 5, 2),), (integers(-9, 9),), ("int32",)),
    *(
        Entry(f"adaptive_{name}", oracle, _ADAPTIVE, ((1, 4, 5, 3),), (distinct(0.03),), smooth=(0,))
        for name, oracle in (("max_pool", _adaptive_max_pool), ("average_pool", _adaptive_average_pool))
    ),
    Entry("depth_to_space", _depth_to_space, (lambda f, x: f(x, 2),), ((2, 2, 3, 8),), smooth=(0,), ulps=0),
    Entry(
        "depth_to_space",
        _depth_to_space,
        (lambda f, x: f(x, 2, data_format="channels_first"),),
        ((2, 8, 2, 3),),
        ulps=0,
    ),
    Entry(
        "unfold",
        _unfold,
        (
            lambda f, x: f(x, 2),
            lambda f, x: f(x, (2, 3), padding=1, stride=2),
            lambda f, x: f(x, 2, dilation=2),
        ),
        ((2, 2, 4, 5),),
        smooth=(0,),
        ulps=0,
    ),
    Entry("fold", _fold, (lambda f, x: f(x, (4, 5), 2, padding=1, stride=2),), ((2, 8, 9),), smooth=(0,)),
    Entry(
        "psnr",
        lambda x, y, m: 20 * np.log10(m) - 10 * np.log10(np.square(x - y).mean()),
        (lambda f, x, y: f(x, y, 4.0),),
        ((3, 4), (3, 4)),
        smooth=(0, 1),
        ulps=32,
    ),
    Entry(
        "dot_product_attention",
        _attention,
        (
            lambda f, q, k, v: f(q, k, v),
            lambda f, q, k, v: f(q, k, v, is_causal=True, scale=0.3),
            lambda f, q, k, v: f(q, k, v, mask=_KEYS, bias=np.array([0.5, 0.25, 0.0, 1.0])),
        ),
        ((2, 3, 2, 4), (2, 4, 2, 4), (2, 4, 2, 4)),
        smooth=(0, 1, 2),
        ulps=64,
    ),
    Entry(
        "dot_product_attention",
        _attention,
        (lambda f, q, k, v: f(q, k, v),),
        ((1, 3, 4, 2), (1, 5, 2, 2), (1, 5, 2, 2)),
        smooth=(0, 1, 2),
        ulps=64,
    ),
)

ENTRIES: tuple[Entry, ...] = (*DECOMPOSITIONS, *FOURIER, *BLOCKS)
# Complex numbers, which no graph holds.
PLAIN = ("eig",)
