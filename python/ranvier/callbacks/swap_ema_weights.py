"""SwapEMAWeights: testing with the moving averages of the weights."""

from __future__ import annotations

from ranvier.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages into the weights while the model is tested or predicts.

    The weights and the averages change places, so no memory is needed. The optimizer must keep averages
    (`use_ema=True`; of several optimizers at least one).

    Args:
        swap_on_epoch: whether the averages are in the weights from an epoch's end to the next one's begin
            too, for callbacks that come after this one, such as `ModelCheckpoint`.

    Raises:
        ValueError: when called, if the optimizer keeps no averages, or has none yet.

    Example:
        >>> model.compile(rv.optimizers.SGD(use_ema=True), "mse")
        >>> model.fit(x, y, validation_split=0.1, callbacks=[rv.callbacks.SwapEMAWeights()])
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._is_swapped = False

    def _swap(self, is_wanted: bool) -> None:
        if self._is_swapped == is_wanted:
            return
        for variable, average in self.model.optimizer.moving_averages():
            value = variable.numpy().copy()
            variable.assign(average)
            average.assign(value)
        self._is_swapped = is_wanted

    def on_train_begin(self, logs: Logs | None = None) -> None:
        # A fit that broke off between two epochs has left the averages in the weights.
        self._swap(False)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if not self.swap_on_epoch:
            return
        self._swap(True)
        if epoch == self.params["epochs"] - 1 or self.model.stop_training:
            # `fit` will set the weights to the averages, which have taken the weights' old values.
            for variable, average in self.model.optimizer.moving_averages():
                average.assign(variable)
            self._is_swapped = False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._swap(False)
