"""Layers that have no weights, as constructors' arguments."""

from __future__ import annotations

from typing import Any


def _of_ranks(pattern: str, *args: Any) -> dict[str, tuple[Any, ...]]:
    return {pattern.format(rank): args for rank in (1, 2, 3)}


WEIGHTLESS: dict[str, tuple[Any, ...]] = {
    "Activation": ("relu",),
    "ActivityRegularization": (),
    "AlphaDropout": (0.1,),
    "CategoryEncoding": (3,),
    "Discretization": ([0.0, 1.0],),
    "Dropout": (0.1,),
    "ELU": (),
    "Flatten": (),
    "GaussianDropout": (0.1,),
    "GaussianNoise": (0.1,),
    "Identity": (),
    "Lambda": (abs,),
    "LeakyReLU": (),
    "Masking": (),
    "Permute": ((1,),),
    "ReLU": (),
    "RepeatVector": (2,),
    "Rescaling": (1.0,),
    "Reshape": ((-1,),),
    "Softmax": (),
    "UnitNormalization": (),
    **_of_ranks("AveragePooling{}D", 2),
    **_of_ranks("MaxPooling{}D", 2),
    **_of_ranks("AdaptiveAveragePooling{}D", 2),
    **_of_ranks("GlobalAveragePooling{}D"),
    **_of_ranks("GlobalMaxPooling{}D"),
    **_of_ranks("SpatialDropout{}D", 0.1),
    **_of_ranks("Cropping{}D", 0),
    **_of_ranks("ZeroPadding{}D", 1),
    **_of_ranks("UpSampling{}D", 2),
}


def subclass(cls: Any) -> Any:
    """The layer class with a weight that its `build` makes."""

    class Own(cls):  # type: ignore[misc]
        def build(self, *args: Any, **kwargs: Any) -> None:
            self.scale = self.add_weight(shape=(), initializer="ones")
            super().build(*args, **kwargs)

        def call(self, inputs: Any) -> Any:
            return super().call(inputs) * self.scale

    return Own
