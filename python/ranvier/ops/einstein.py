"""Einstein summation, from transpositions, batched matrix products and sums."""

from __future__ import annotations

from typing import Any

from ranvier.core.arguments import text
from ranvier.core.unknown_size import agree, is_known
from ranvier.ops._common import Value, cast_to, reshape_to, size_of, transpose_to
from ranvier.ops._emit import emit
from ranvier.ops.indexing import diagonal
from ranvier.ops.products import factors, product

_ELLIPSIS = "\u0391"  # the letters for "..." begin here, above all of ASCII


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Value:
    """Einstein summation.

    The operands are combined from left to right: for each, indices that occur nowhere later are summed,
    common ones become a batched matrix product.

    Args:
        subscripts: "ij,jk->ik": the axes of each operand, and of the result; without "->", the result has the
            indices that occur once, in alphabetical order. An index that an operand repeats takes its
            diagonal; "..." stands for axes that broadcast.
        *operands: the tensors.
        **kwargs: `optimize`, how an order of contractions might be sought: the order here is fixed.

    Returns:
        The sums; int32 if all operands are int8.

    Raises:
        ValueError: if the subscripts do not fit the operands.
        TypeError: for any other keyword.
    """
    if unknown := sorted(kwargs.keys() - {"optimize"}):
        raise TypeError(f"einsum: unexpected arguments {unknown}; expected none but `optimize`.")
    values, dtype = factors(*operands, sums_are_wide=True)
    inputs, output = _parse(subscripts, [value.ndim for value in values])
    sizes = _sizes(inputs, values)
    terms = [_fit(labels, value, sizes) for labels, value in zip(inputs, values, strict=True)]
    labels, result = terms[0]
    for i, (other_labels, other) in enumerate(terms[1:], start=1):
        needed = set(output).union(*(set(later) for later, _ in terms[i + 1 :]))
        labels, result = _contract(labels, result, other_labels, other, needed)
    labels, result = _sum_out(labels, result, set(output))
    result = transpose_to(result, [labels.index(label) for label in output])
    return cast_to(result, dtype)


def _parse(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """The labels of each operand and of the result, with every "..." written out in letters of its own."""
    left, arrow, right = text(subscripts, "subscripts").replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(f"einsum: '{subscripts}' names {len(inputs)} operands, got {len(ranks)}.")
    counts = [rank - len(t.replace("...", "")) for t, rank in zip(inputs, ranks, strict=True) if "..." in t]
    extra = "".join(chr(ord(_ELLIPSIS) + i) for i in range(max(counts, default=0)))
    written = []
    for term, rank in zip(inputs, ranks, strict=True):
        count = rank - len(term.replace("...", ""))
        if count < 0 or (count > 0 and "..." not in term):
            raise ValueError(f"einsum: '{term}' of '{subscripts}' does not fit a tensor of {rank} axes.")
        written.append(term.replace("...", extra[len(extra) - count :]))
    if not arrow:
        letters = "".join(inputs).replace("...", "")
        right = ("..." if extra else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    output = right.replace("...", extra)
    if len(set(output)) != len(output) or not set(output) <= set("".join(written)):
        raise ValueError(f"einsum: the result of '{subscripts}' repeats an index or names an unknown one.")
    return written, output


def _sizes(inputs: list[str], values: list[Value]) -> dict[str, int]:
    """The size of each index; those that "..." stands for may be 1 in some operands."""
    sizes: dict[str, int] = {}
    for labels, value in zip(inputs, values, strict=True):
        for label, dim in zip(labels, value.shape, strict=True):
            known = sizes.setdefault(label, dim)
            if not agree((known,), (dim,)) and not (label >= _ELLIPSIS and 1 in (known, dim)):
                raise ValueError(f"einsum: index '{label}' has sizes {known} and {dim}.")
            sizes[label] = dim if known == 1 or not is_known(known) else known
    return sizes


def _fit(labels: str, value: Value, sizes: dict[str, int]) -> tuple[str, Value]:
    """A term without axes that only broadcast, and with each index once."""
    if not all(map(is_known, value.shape)):
        dims = zip(labels, value.shape, strict=True)
        shape = tuple(dim if is_known(dim) else sizes[label] for label, dim in dims)
        value = value if shape == value.shape else emit("broadcast_to", value, shape=shape)
    kept = [i for i, label in enumerate(labels) if value.shape[i] == sizes[label]]
    value = reshape_to(value, [value.shape[i] for i in kept])
    labels = "".join(labels[i] for i in kept)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            value = diagonal(value, 0, first, second)
            labels = labels[:first] + labels[first + 1 : second] + labels[second + 1 :] + label
    return labels, value


def _sum_out(labels: str, value: Value, keep: set[str]) -> tuple[str, Value]:
    axes = [i for i, label in enumerate(labels) if label not in keep]
    kept = "".join(label for label in labels if label in keep)
    return (kept, emit("sum", value, axes=axes, keepdims=False)) if axes else (labels, value)


def _contract(a_labels: str, a: Value, b_labels: str, b: Value, needed: set[str]) -> tuple[str, Value]:
    """The product of two terms, summed over their common labels that are not needed later."""
    a_labels, a = _sum_out(a_labels, a, needed | set(b_labels))
    b_labels, b = _sum_out(b_labels, b, needed | set(a_labels))
    common = [label for label in a_labels if label in b_labels]
    batch = [label for label in common if label in needed]
    summed = [label for label in common if label not in needed]
    free_a = [label for label in a_labels if label not in common]
    free_b = [label for label in b_labels if label not in common]
    size = {**dict(zip(b_labels, b.shape, strict=True)), **dict(zip(a_labels, a.shape, strict=True))}

    def matrices(labels: str, value: Value, rows: list[str], columns: list[str]) -> Value:
        ordered = transpose_to(value, [labels.index(label) for label in [*batch, *rows, *columns]])
        lead = [size[label] for label in batch]
        return reshape_to(ordered, [*lead, size_of(size[c] for c in rows), size_of(size[c] for c in columns)])

    result = product(matrices(a_labels, a, free_a, summed), matrices(b_labels, b, summed, free_b))
    labels = [*batch, *free_a, *free_b]
    return "".join(labels), reshape_to(result, [size[label] for label in labels])
