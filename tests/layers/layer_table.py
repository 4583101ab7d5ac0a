"""Every layer and how it is tried: one row each, for the ordinary tests and those against Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass
class Row:
    """A layer.

    Attributes:
        name: its class's name.
        args: its arguments; a value ("layer", name, args) stands for a layer.
        shape: its input's shape, or the shapes of a list of inputs.
        high: integers from 0 up to below here are the inputs; None: normal numbers.
        masked: the inputs, by their places, that come with a mask (True everywhere but at some places).
        random: whether training draws at random.
    """

    name: str
    args: dict[str, Any] = field(default_factory=dict)
    shape: Shape | list[Shape] = (4, 3)
    high: int | None = None
    masked: tuple[int, ...] = ()
    random: bool = False

    @property
    def id(self) -> str:
        return f"{self.name}-{'-'.join(f'{k}={v}' for k, v in self.args.items())}-{self.shape}{self.masked}"

    def make(self, module: Any) -> Any:
        """The layer of `ranvier` or `keras`."""

        def value(v: Any) -> Any:
            return getattr(module.layers, v[1])(**v[2]) if isinstance(v, tuple) and v[:1] == ("layer",) else v

        return getattr(module.layers, self.name)(**{k: value(v) for k, v in self.args.items()})

    def inputs(self) -> list[np.ndarray]:
        rng = np.random.default_rng(3)
        shapes = self.shape if isinstance(self.shape, list) else [self.shape]
        if self.high is not None:
            return [rng.integers(0, self.high, s).astype("int32") for s in shapes]
        arrays = [rng.normal(size=s).astype("float32") for s in shapes]
        if self.name == "Masking":
            arrays[0][:, 1] = self.args.get("mask_value", 0.0)
        return arrays

    def masks(self) -> list[np.ndarray | None]:
        rng = np.random.default_rng(4)
        shapes = self.shape if isinstance(self.shape, list) else [self.shape]
        masks = [rng.random(s[:2]) < 0.6 for s in shapes]
        for mask in masks:
            mask[:, 0] = True
        return [mask if i in self.masked else None for i, mask in enumerate(masks)]


PAIR: list[Shape] = [(4, 3), (4, 3)]
SEQUENCES: list[Shape] = [(4, 5, 3), (4, 5, 3)]
READS: list[Shape] = [(4, 2, 3), (4, 5, 3)]
IMAGE, VOLUME = (2, 5, 6, 4), (2, 4, 5, 6, 2)
FIRST = {"data_format": "channels_first"}
CLIPPING = {"rmin": 0.9, "rmax": 1.1, "dmax": 0.1}
INNER = ("layer", "Dense", {"units": 2})

ROWS = [
    Row("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 5, "bias_axes": "c", "activation": "tanh"}),
    Row("EinsumDense", {"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"}, (2, 3, 5)),
    Row("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 4}, (2, 3, 5)),
    Row("EinsumDense", {"equation": "abc,bcde->ade", "output_shape": (2, 3), "bias_axes": "de"}, (2, 4, 5)),
    Row("EinsumDense", {"equation": "abc,bd->acd", "output_shape": (5, 3), "bias_axes": "c"}, (2, 4, 5)),
    Row("Embedding", {"input_dim": 7, "output_dim": 3}, (4, 5), high=7),
    Row("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, (4, 5), high=3),
    Row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 3}, (4, 5), high=7),
    Row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 3, "tie_weights": False}, (4, 5), high=7),
    Row("Masking", {}, (4, 5, 3)),
    Row("Masking", {"mask_value": 2.0}, (4, 5, 3)),
    Row("TimeDistributed", {"layer": INNER}, (4, 5, 3)),
    Row("TimeDistributed", {"layer": ("layer", "BatchNormalization", {})}, (4, 5, 3)),
    Row("BatchNormalization", {}, (8, 3)),
    Row("BatchNormalization", {"momentum": 0.5, "epsilon": 0.1, "scale": False}, (4, 5, 3)),
    Row("BatchNormalization", {"axis": 1, "center": False, "gamma_initializer": "ones"}, (4, 3, 5)),
    Row("BatchNormalization", {"gamma_regularizer": "l2", "beta_regularizer": "l2"}, (4, 5, 3), masked=(0,)),
    Row("BatchNormalization", {"renorm": True, "renorm_momentum": 0.7}, (8, 3)),
    Row("BatchNormalization", {"renorm": True, "renorm_clipping": CLIPPING, "center": False}, (4, 5, 3)),
    Row("BatchNormalization", {"renorm": True, "scale": False, "axis": 1}, (4, 3, 5)),
    Row("LayerNormalization", {}, (4, 5)),
    Row("LayerNormalization", {"axis": [1, 2], "epsilon": 0.1}, (4, 3, 5)),
    Row("LayerNormalization", {"axis": [-1, -2]}, (4, 3, 5)),
    Row("LayerNormalization", {"axis": 1, "center": False, "gamma_constraint": "non_neg"}, (4, 3, 5)),
    Row("LayerNormalization", {"scale": False}, (4, 3, 5), masked=(0,)),
    Row("GroupNormalization", {"groups": 2}, (4, 6)),
    Row("GroupNormalization", {"groups": 2, "axis": 1, "epsilon": 0.1}, (2, 4, 5)),
    Row("GroupNormalization", {"groups": -1, "scale": False}, (2, 5, 4)),
    Row("GroupNormalization", {"groups": 1, "center": False}, (2, 5, 4)),
    Row("RMSNormalization", {}, (4, 5)),
    Row("RMSNormalization", {"axis": 1, "epsilon": 0.1}, (4, 5)),
    Row("UnitNormalization", {}, (4, 5)),
    Row("UnitNormalization", {"axis": [1, 2]}, (4, 3, 5)),
    Row("SpectralNormalization", {"layer": INNER}, (4, 3)),
    Row("SpectralNormalization", {"layer": INNER, "power_iterations": 3}, (4, 3)),
    Row("Dropout", {"rate": 0.4, "noise_shape": (None, 1)}, (4, 3), random=True),
    Row("AlphaDropout", {"rate": 0.4, "seed": 3}, (4, 3), random=True),
    Row("AlphaDropout", {"rate": 0.4, "noise_shape": (4, 1)}, (4, 3), random=True),
    Row("SpatialDropout1D", {"rate": 0.4, "seed": 1}, (4, 5, 3), random=True),
    Row("SpatialDropout2D", {"rate": 0.4, **FIRST}, IMAGE, random=True),
    Row("SpatialDropout2D", {"rate": 0.4}, IMAGE, random=True),
    Row("SpatialDropout3D", {"rate": 0.4}, VOLUME, random=True),
    Row("Softmax", {}, (4, 5)),
    Row("Softmax", {"axis": (1, 2)}, (4, 3, 5)),
    *(Row(name, {}, PAIR) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    *(
        Row(name, {}, SEQUENCES, masked=(0, 1))
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    ),
    *(Row(name, {}, SEQUENCES, masked=(1,)) for name in ("Add", "Average", "Multiply", "Maximum", "Minimum")),
    Row("Add", {}, [(4, 3), (4, 5, 3), (4, 1, 1)]),
    Row("Multiply", {}, [(4, 1), (4, 3), (4, 3)]),
    Row("Maximum", {}, [(4, 2, 3), (4, 3)]),
    Row("Concatenate", {}, [(4, 3), (4, 2), (4, 1)]),
    Row("Concatenate", {"axis": 1}, [(4, 3, 2), (4, 1, 2)]),
    Row("Concatenate", {"axis": 1}, SEQUENCES, masked=(0, 1)),
    Row("Concatenate", {"axis": 1}, SEQUENCES, masked=(0,)),
    Row("Concatenate", {}, SEQUENCES, masked=(0, 1)),
    Row("Dot", {"axes": 1}, PAIR),
    Row("Dot", {"axes": -1, "normalize": True}, PAIR),
    Row("Dot", {"axes": (2, 1)}, [(4, 5, 3), (4, 3, 2)]),
    Row("Dot", {"axes": (1, 2), "normalize": True}, [(4, 3, 5), (4, 2, 3)]),
    Row("Dot", {"axes": (1, 1)}, [(4, 3), (4, 3, 2)]),
    Row("Cropping1D", {"cropping": (1, 2)}, (2, 5, 3)),
    Row("Cropping1D", {"cropping": (0, 0)}, (2, 5, 3)),
    Row("Cropping2D", {"cropping": ((1, 0), (2, 1))}, IMAGE),
    Row("Cropping2D", {"cropping": 1, **FIRST}, IMAGE),
    Row("Cropping3D", {"cropping": (1, 2, 1)}, VOLUME),
    Row("UpSampling1D", {"size": 3}, (2, 3, 2)),
    Row("UpSampling2D", {"size": (2, 3)}, IMAGE),
    Row("UpSampling2D", {"size": 2, **FIRST}, IMAGE),
    Row("UpSampling3D", {}, VOLUME),
    Row("ZeroPadding1D", {"padding": (1, 2)}, (2, 3, 2)),
    Row("ZeroPadding1D", {"padding": 2}, (2, 3, 2)),
    Row("ZeroPadding2D", {"padding": ((1, 0), (2, 3))}, IMAGE),
    Row("ZeroPadding2D", {"padding": (1, 2), **FIRST}, IMAGE),
    Row("ZeroPadding3D", {"padding": 1}, VOLUME),
    *(
        Row(f"{kind}Pooling{rank}D", args, shape)
        for kind in ("Average", "Max")
        for rank, shape, args in (
            (1, (2, 7, 3), {"pool_size": 3}),
            (1, (2, 7, 3), {"pool_size": (3,), "strides": 2, "padding": "same"}),
            (1, (2, 3, 7), {"pool_size": 2, "strides": 3, **FIRST}),
            (2, IMAGE, {"pool_size": 2}),
            (2, IMAGE, {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}),
            (2, IMAGE, {"pool_size": 3, "strides": 2, "padding": "same", **FIRST}),
            (3, VOLUME, {"pool_size": 2}),
            (3, VOLUME, {"pool_size": (2, 3, 2), "strides": (1, 2, 3), "padding": "same"}),
            (3, VOLUME, {"pool_size": 2, "strides": 1, **FIRST}),
        )
    ),
    Row("MaxPooling1D", {}, (2, 7, 3)),
    Row("MaxPooling2D", {}, IMAGE),
    Row("MaxPooling3D", {}, VOLUME),
    *(
        Row(f"Adaptive{kind}Pooling{rank}D", args, shape)
        for kind in ("Average", "Max")
        for rank, shape, args in (
            (1, (2, 7, 3), {"output_size": 3}),
            (1, (2, 3, 4), {"output_size": [3], **FIRST}),
            (2, IMAGE, {"output_size": (2, 4)}),
            (2, IMAGE, {"output_size": 3, **FIRST}),
            (3, VOLUME, {"output_size": (3, 5, 4)}),
        )
    ),
    Row("GlobalAveragePooling1D", {}, (4, 5, 3)),
    Row("GlobalAveragePooling1D", {"keepdims": True}, (4, 5, 3), masked=(0,)),
    Row("GlobalAveragePooling1D", FIRST, (4, 3, 5)),
    Row("GlobalAveragePooling2D", {}, IMAGE),
    Row("GlobalAveragePooling3D", {"keepdims": True}, VOLUME),
    Row("GlobalMaxPooling1D", {}, (4, 5, 3)),
    Row("GlobalMaxPooling2D", {"keepdims": True, **FIRST}, IMAGE),
    Row("GlobalMaxPooling3D", {}, VOLUME),
    Row("Normalization", {"mean": 1.0, "variance": 4.0}),
    Row("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 0.0], "invert": True}),
    Row("Normalization", {"axis": None, "mean": 0.5, "variance": 2.0}),
    Row("Discretization", {"bin_boundaries": [-0.5, 0.0, 1.0]}, (4, 5)),
    Row("Discretization", {"bin_boundaries": [0.0], "output_mode": "one_hot"}, (4, 5)),
    Row("Discretization", {"bin_boundaries": [-1.0, 0.0], "output_mode": "multi_hot"}, (4, 5)),
    Row("Discretization", {"bin_boundaries": [-1.0, 0.0], "output_mode": "count"}, (4, 5)),
    Row("CategoryEncoding", {"num_tokens": 6}, (4, 5), high=6),
    Row("CategoryEncoding", {"num_tokens": 6, "output_mode": "count"}, (4, 5), high=6),
    Row("CategoryEncoding", {"num_tokens": 6, "output_mode": "one_hot"}, (4, 1), high=6),
    Row("Attention", {}, READS),
    Row("Attention", {"use_scale": True}, [*READS, (4, 5, 3)], masked=(0, 1)),
    Row("Attention", {"use_scale": True, "score_mode": "concat"}, READS, masked=(1,)),
    Row("Attention", {"score_mode": "concat"}, READS),
    Row("Attention", {"use_scale": True}, READS),
    Row("Attention", {"use_scale": True, "score_mode": "concat"}, READS),
    Row("Attention", {"dropout": 0.4, "seed": 3}, READS, random=True),
    Row("AdditiveAttention", {}, [*READS, (4, 5, 3)]),
    Row("AdditiveAttention", {"use_scale": False}, READS, masked=(0, 1)),
    Row("AdditiveAttention", {"dropout": 0.4}, READS, masked=(0,), random=True),
]
OTHER = {"Lambda", "Wrapper", "Pipeline", "MultiHeadAttention", "GroupQueryAttention"} | {
    *("RNN", "SimpleRNN", "SimpleRNNCell", "LSTM", "LSTMCell", "GRU", "GRUCell"),
    *("StackedRNNCells", "Bidirectional"),
}  # tested by themselves
