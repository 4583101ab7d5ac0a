"""Arguments of wrong kinds: an error of the documented kinds that says what was wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops

X = np.ones((3, 4), "float32")
EMPTY = np.zeros((2**33, 0, 3), "float32")  # as a list it would fill the memory
RECORD = [("a", "i8"), ("b", "f8")]
DATES = np.zeros((3, 4), "datetime64[s]")


def endless() -> list[Any]:
    nest: list[Any] = [1.0]
    nest.append(nest)
    return nest


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "einsum(None)": (lambda: ops.einsum(None), TypeError, "`subscripts` must be a string"),
    "einsum(2, x)": (lambda: ops.einsum(2, X), TypeError, "`subscripts` must be a string"),
    "rearrange": (lambda: ops.rearrange(X, None), TypeError, "`pattern` must be a string"),
    "rearrange, a length": (lambda: ops.rearrange(X, "a (b c) -> c a b", b="x"), TypeError, "`b` must be"),
    "transpose, long and empty": (lambda: ops.transpose(X, EMPTY), TypeError, "`axis` must be an integer"),
    "InputSpec, long and empty": (lambda: layers.InputSpec(shape=EMPTY), ValueError, "to a shape"),
    "pool_size, long and empty": (lambda: layers.MaxPooling2D(EMPTY), ValueError, "cannot be used as a list"),
    "thresholds, long and empty": (
        lambda: rv.metrics.FalsePositives(thresholds=EMPTY), ValueError, "cannot be used as a list",
    ),
    "serialize, long and empty": (lambda: rv.optimizers.serialize(EMPTY), ValueError, "used as a list"),
    "thresholds, records": (
        lambda: rv.metrics.TruePositives(thresholds=np.zeros(1, RECORD)), ValueError, r"in \[0, 1\]",
    ),
    "arange, records": (lambda: ops.arange(np.zeros(3, RECORD)), TypeError, "`start` must be a number"),
    "triu, records": (lambda: ops.triu(X, np.zeros(3, RECORD)), TypeError, "`k` must be an integer"),
    "num_classes, text": (
        lambda: rv.utils.to_categorical([1], "same"), TypeError, "`num_classes` must be an integer",
    ),
    "Constant, too large": (
        lambda: rv.initializers.Constant(-(2**65))((3,), "uint32"), ValueError, "does not fit uint32",
    ),
    "unique(axis=9)": (lambda: ops.unique(X, axis=9), ValueError, "axis 9 is out of bounds"),
    "linspace(axis=7)": (lambda: ops.linspace(0, 1, axis=7), ValueError, "axis 7 is out of bounds"),
    "sum(axis='x')": (lambda: ops.sum(X, axis="x"), TypeError, "`axis` must be an integer"),
    "sum(axis=1.5)": (lambda: ops.sum(X, axis=1.5), TypeError, "`axis` must be an integer"),
    "ones('a')": (lambda: ops.ones("a"), TypeError, "`shape` must be an integer"),
    "one_hot": (lambda: ops.one_hot([0], float("inf")), TypeError, "`num_classes` must be an integer"),
    "in_top_k": (lambda: ops.in_top_k(1, 4.0, 2), ValueError, "axis -1 is out of bounds"),
    "a dtype": (lambda: ops.exp(np), (TypeError, ValueError), "dtype"),
    "fold": (lambda: ops.fold(np.ones((1, 4, 4)), [], 2), ValueError, "`output_size` must be"),
    "hstack": (lambda: ops.hstack(3), TypeError, "expected a sequence of tensors"),
    "a nest": (lambda: rv.tree.flatten(endless()), ValueError, "holds itself"),
    "a nest, mapped": (lambda: rv.tree.map_structure(abs, endless()), ValueError, "holds itself"),
    "a nest of tensors": (lambda: ops.exp(endless()), ValueError, "sequence"),
    "Reshape(None)": (lambda: layers.Reshape(None), (ValueError, TypeError), "."),
    "Dense(array)": (lambda: layers.Dense(np.ones(3)), (ValueError, TypeError), "units"),
    "Embedding, two inputs": (
        lambda: layers.Embedding(4, 3)([rv.Input((3,)), rv.Input((3,))]), ValueError, "expected one tensor",
    ),
    "CategoryEncoding, two inputs": (
        lambda: layers.CategoryEncoding(4)([rv.Input((3,)), rv.Input((3,))]), ValueError, "expected one",
    ),
    "a threshold of dates": (
        lambda: ops.soft_shrink(rv.Input((3,)), DATES), TypeError, "got an argument of a kind",
    ),
    "CategoryEncoding": (
        lambda: layers.CategoryEncoding(np.array(["a", "b"])), TypeError, "got an argument of a kind",
    ),
    "a slope of text": (
        lambda: rv.activations.relu(X, negative_slope="a"), TypeError, r"relu\(\) got an argument of a kind",
    ),
    "a list for a tensor": (
        lambda: layers.Flatten()([(), X]), ValueError, 'Layer "flatten.*" expected one tensor',
    ),
    "a list for a tensor, by name": (
        lambda: layers.Flatten()(inputs=[(), X]), ValueError, 'Layer "flatten.*" expected one tensor',
    ),
    "slices of nothing": (
        lambda: ops.map(lambda x: x, EMPTY), ValueError, "cannot be used as a list",
    ),
    "leaves of nothing": (
        lambda: rv.tree.pack_sequence_as(2, EMPTY), ValueError, "cannot be used as a list",
    ),
    "variables of nothing": (
        lambda: rv.optimizers.SGD().apply([X], EMPTY), TypeError, "Optimizers update variables",
    ),
    "many axes": (
        lambda: ops.nextafter(np.zeros((1,) * 41), X), ValueError, "at most 32 axes",
    ),
    "diagonal": (lambda: ops.diagonal(X, "a"), TypeError, "`offset` must be an integer"),
    "a config, read": (lambda: layers.deserialize(endless()), ValueError, "holds itself"),
    "a variable's shape": (lambda: rv.Variable(X, shape=EMPTY), ValueError, "to a shape"),
    "tensordot": (
        lambda: ops.tensordot(X, X, np.zeros((2, 2**33, 0), "int8")), TypeError, "`axes` must be",
    ),
    "a step of 0": (lambda: ops.arange(0.5, 2, -0.0), ValueError, "`step` of 0"),
    "EinsumDense, a shape": (
        lambda: layers.EinsumDense("ab,bc->ac", b"x"), TypeError, "`output_shape` must be an integer",
    ),
    "GroupNormalization": (lambda: layers.GroupNormalization(axis="x"), TypeError, "`axis` must be"),
    "RMSNormalization": (lambda: layers.RMSNormalization(axis=[1.5]), TypeError, "`axis` must be"),
    "PReLU": (lambda: layers.PReLU(shared_axes="a"), TypeError, "`shared_axes` must be an integer"),
    "VarianceScaling": (
        lambda: rv.initializers.VarianceScaling(scale="a"), TypeError, "`scale` must be a number",
    ),
    "pad_sequences, long and empty": (
        lambda: rv.utils.pad_sequences(EMPTY), ValueError, "cannot be used as a list",
    ),
    "an index beyond 64 bits": (lambda: ops.get_item(-3.7, 2**63), IndexError, "does not fit 64 bits"),
    "diff": (lambda: ops.diff(X, n=np.array(["a"])), TypeError, "`n` must be an integer"),
    "a focal loss": (
        lambda: rv.losses.binary_focal_crossentropy(X, X, True, alpha=b"bytes"),
        TypeError, "`alpha` must be a number",
    ),
    "tril, long and empty": (
        lambda: ops.tril(np.zeros((2**31, 2**29, 0), "bool")), MemoryError, "is too large",
    ),
    "EinsumDense": (lambda: layers.EinsumDense(2, 3), TypeError, "`equation` must be a string"),
    "a metric's name": (lambda: rv.metrics.MeanSquaredError(name=2.0), ValueError, "`name` must be a string"),
    "a seed": (lambda: rv.random.normal((2,), seed=2**70), ValueError, "64 bits"),
    "a shape": (lambda: layers.RMSNormalization().build(()), ValueError, "too few axes"),
    "no shape": (lambda: layers.Dense(2).build(3), TypeError, "expected a shape"),
    "an output shape": (lambda: layers.RepeatVector(2).compute_output_shape((2,)), ValueError, "too few"),
    "Masking": (lambda: layers.Masking()({}), (ValueError, TypeError), "."),
    "Embedding": (lambda: layers.Embedding(3, 2)(None), (ValueError, TypeError), "None"),
    "distribution": (lambda: rv.initializers.VarianceScaling(distribution=None), TypeError, "a string"),
    "an optimizer's variables": (lambda: rv.optimizers.Adam().apply([X], [3]), TypeError, "update variables"),
    "tversky": (lambda: rv.losses.tversky(X, X, alpha="x"), TypeError, "`alpha` must be a number"),
    "registered names": (lambda: rv.utils.get_registered_name(3), TypeError, "registered names"),
    "a schedule": (
        lambda: rv.optimizers.schedules.InverseTimeDecay(0.5, np.array(["a"]), 1.0),
        TypeError,
        "`decay_steps` must be a number",
    ),
    "a constraint": (lambda: rv.constraints.MinMaxNorm(rate="adam"), TypeError, "`rate` must be a number"),
    "a rate of bytes": (
        lambda: rv.optimizers.schedules.ExponentialDecay(b"bytes", 2, 0.0),
        TypeError,
        "`initial_learning_rate` must be a number",
    ),
    "segment_min": (
        lambda: ops.segment_min(X, np.array([0, 1, 1]), num_segments=float("inf")),
        TypeError,
        "`num_segments` must be an integer",
    ),
    "a rate of dates": (lambda: rv.random.dropout(X, DATES), TypeError, "`rate` must be a number"),
    "a recall of dates": (
        lambda: rv.metrics.PrecisionAtRecall(DATES),
        TypeError,
        "`recall` must be a number",
    ),
    "warmup_steps": (
        lambda: rv.optimizers.schedules.CosineDecay(0.1, 4, warmup_target=0.2, warmup_steps="a"),
        TypeError,
        "`warmup_steps` must be a number",
    ),
    "UpSampling2D": (
        lambda: layers.UpSampling2D(interpolation=None),
        TypeError,
        "`interpolation` must be a string",
    ),
    "ReLU": (
        lambda: layers.ReLU(negative_slope=np.array([b"a"])),
        TypeError,
        "`negative_slope` must be a number",
    ),
    "LeakyReLU": (lambda: layers.LeakyReLU("a"), TypeError, "`negative_slope` must be a number"),
    "an attribute that holds itself": (
        lambda: layers.GlobalMaxPooling3D(keepdims=endless()),
        ValueError,
        "holds itself",
    ),
    "a gain": (lambda: rv.initializers.Orthogonal("float32"), TypeError, "`gain` must be a number"),
    "a shape of dates": (lambda: rv.initializers.Ones()(DATES), TypeError, "`shape` must be an integer"),
    "a class": (lambda: rv.metrics.Precision(class_id=0.5), TypeError, "`class_id` must be an integer"),
    "a class of dates": (
        lambda: rv.metrics.RecallAtPrecision(0.5, class_id=DATES),
        TypeError,
        "`class_id` must be an integer",
    ),
    "diag": (lambda: ops.diagflat(X, np.array(["a"])), TypeError, "`k` must be an integer"),
    "diag, too large": (lambda: ops.diag(X[0], 2**62), MemoryError, "too large"),
    "normalize": (
        lambda: ops.normalize(X, epsilon=np.array([b"a"])),
        TypeError,
        "`epsilon` must be a number",
    ),
    "renorm_clipping": (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping=2),
        ValueError,
        "`renorm_clipping` is a dict",
    ),
    "renorm_clipping, a limit": (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": "a"}),
        TypeError,
        "must be a number",
    ),
    "a config that holds itself": (lambda: rv.constraints.serialize(endless()), ValueError, "holds itself"),
    "merging nothing": (lambda: layers.add([[]]), ValueError, "a list of tensors"),
    "merging a tensor and nothing": (lambda: layers.Maximum()([X, ()]), ValueError, "a list of tensors"),
    "an output shape of nothing": (
        lambda: layers.Lambda(lambda x: x).compute_output_shape(None),
        TypeError,
        "expected a shape",
    ),
    "ReversibleEmbedding": (
        lambda: layers.ReversibleEmbedding(4, 3)([rv.Input((3,)), rv.Input((3,))]),
        ValueError,
        "expected one tensor",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said(name: str) -> None:
    call, kinds, words = REFUSED[name]
    with pytest.raises(kinds, match=words) as caught:
        call()
    assert not type(caught.value).__module__.startswith("numpy")
