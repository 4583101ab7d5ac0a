"""Connectionist temporal classification: the loss of label sequences that no frame is aligned with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.ops._common import Value, as_float, cast_to, operand, where3
from ranvier.ops._emit import emit
from ranvier.ops.activation import log_softmax
from ranvier.ops.comparison import equal, less, logical_and, logical_or, not_equal
from ranvier.ops.control import scan
from ranvier.ops.elementwise import add, exp, log, maximum, multiply, negative, subtract
from ranvier.ops.encoding import class_indices
from ranvier.ops.indexing import take_along_axis
from ranvier.ops.reductions import max, sum
from ranvier.ops.shaping import concatenate, expand_dims, part, reshape, stack

# The logarithm of what cannot happen, Keras's: finite, so that no difference of two is NaN.
_NEVER = -1e5


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Value:
    """Minus the log-probability of all alignments of labels with frames (Graves et al., 2006).

    Args:
        target: labels, integers of shape (batch, labels); what lies beyond `target_length` does not count.
        output: logits, (batch, frames, classes).
        target_length: the number of labels of each sample, (batch,).
        output_length: the number of frames of each sample, (batch,).
        mask_index: the class that stands for no label.

    Returns:
        (batch,). About 1e5 for a sample with more labels than its frames can hold.

    Raises:
        ValueError: if the shapes do not fit, or, when it runs, for a label out of range.
    """
    labels, logits = class_indices(target), as_float(output)
    if labels.ndim != 2:
        raise ValueError(
            "Targets `target` are expected to be a tensor of shape `(batch_size, max_length)` in integer "
            f"format. Received: target.shape={tuple(labels.shape)}"
        )
    if logits.ndim != 3 or logits.shape[1] == 0:
        raise ValueError(
            "Logits `output` are expected to be a tensor of shape `(batch_size, max_length, num_classes)`. "
            f"Received: output.shape={tuple(logits.shape)}"
        )
    lengths, frames = _lengths(target_length, "target_length"), _lengths(output_length, "output_length")
    batch = labels.shape[0]
    if not batch == logits.shape[0] == lengths.shape[0] == frames.shape[0]:
        raise ValueError(
            "ctc_loss: expected one length for each sample. Received: target of shape "
            f"{tuple(labels.shape)}, output of shape {tuple(logits.shape)}, target_length of shape "
            f"{tuple(lengths.shape)} and output_length of shape {tuple(frames.shape)}"
        )
    states, jumps = _states(labels, lengths, logits.shape[2], mask_index)
    emitted = take_along_axis(log_softmax(logits), expand_dims(states, 1), axis=2)
    alpha = _forward(emitted, jumps, frames)
    # A sequence ends in its last label or in the blank after it.
    place, last = np.arange(alpha.shape[1], dtype="int32"), expand_dims(multiply(lengths, 2), 1)
    ends = logical_or(equal(place, last), equal(place, subtract(last, 1)))
    return negative(_logsumexp(where3(ends, alpha, _NEVER)))


def _lengths(x: Any, name: str) -> Value:
    value = operand(x)
    if value.ndim != 1:
        raise ValueError(f"ctc_loss: expected `{name}` of shape (batch,). Received: {tuple(value.shape)}")
    return cast_to(value, "int32")


def _states(labels: Value, lengths: Value, classes: int, blank: int) -> tuple[Value, Value]:
    """The classes of a sample's states, labels and blanks in turn, and which may follow the last but one."""
    size = labels.shape[1]
    labels = cast_to(labels, "int32")
    counts = less(np.arange(size, dtype="int32"), expand_dims(lengths, 1))
    # A negative label must not count from the end.
    labels = where3(less(labels, 0), np.int32(classes), labels)
    labels = where3(counts, labels, np.int32(blank))
    blanks = emit("broadcast_to", np.full((1, 1), blank, "int32"), shape=(labels.shape[0], 1))
    pairs = stack([emit("broadcast_to", blanks, shape=tuple(labels.shape)), labels], axis=-1)
    states = concatenate([reshape(pairs, (labels.shape[0], 2 * size)), blanks], axis=1)
    before = concatenate([blanks, blanks, part(states, 1, 0, 2 * size - 1)], axis=1)
    return states, logical_and(not_equal(states, blank), not_equal(states, before))


def _forward(emitted: Value, jumps: Value, frames: Value) -> Value:
    """The log-probabilities of ending in each state after a sample's last frame, (batch, states)."""
    batch, steps, size = emitted.shape
    first = np.full((1, size), _NEVER, "float32")
    first[0, :2] = 0.0
    alpha = add(reshape(part(emitted, 1, 0, 1), (batch, size)), cast_to(operand(first), str(emitted.dtype)))
    never = cast_to(operand(np.full((batch, 2), _NEVER, "float32")), str(emitted.dtype))

    def frame(alpha: Value, at: tuple[Value, Value]) -> tuple[Value, None]:
        t, here = at
        shifted = concatenate([never, alpha], axis=1)
        paths = [alpha, part(shifted, 1, 1, size), where3(jumps, part(shifted, 1, 0, size), _NEVER)]
        return where3(expand_dims(less(t, frames), 1), add(_logsumexp(paths), here), alpha), None

    later = emit("transpose", part(emitted, 1, 1, steps - 1), axes=(1, 0, 2))
    return scan(frame, alpha, (np.arange(1, steps, dtype="int32"), later))[0]


def _logsumexp(x: Any) -> Value:
    """Of values in a list, or along the last axis."""
    if isinstance(x, list):
        top = emit("stop_gradient", maximum(maximum(x[0], x[1]), x[2]))
        terms = [exp(subtract(value, top)) for value in x]
        return add(log(add(add(terms[0], terms[1]), terms[2])), top)
    top = emit("stop_gradient", max(x, -1, keepdims=True))
    return reshape(add(log(sum(exp(subtract(x, top)), -1, keepdims=True)), top), x.shape[:-1])
