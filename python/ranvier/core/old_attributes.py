"""Attributes of objects of older versions of Keras, and what to write today: name -> what."""

from __future__ import annotations

_OWN_LOOP = "write `train_step` in a subclass of `Model`; `docs/guides/custom-steps.md` shows how"

LAYER: dict[str, str] = {
    "get_input_at": "write `layer.input`, or keep the tensors of each call",
    "get_output_at": "write `layer.output`, or keep the tensors of each call",
    "get_input_shape_at": "write `layer.input.shape`",
    "get_output_shape_at": "write `layer.output.shape`",
    "input_shape": "write `layer.input.shape`, or keep the shape that `build` is given",
    "output_shape": "write `layer.output.shape` or `layer.compute_output_shape(shape)`",
    "inbound_nodes": "the calls of a layer are its own affair: keep the tensors",
    "outbound_nodes": "the calls of a layer are its own affair: keep the tensors",
    "add_update": "assign to the variable in `call`: `self.count.assign_add(1)`",
    "updates": "assign to variables in `call`: `self.count.assign_add(1)`",
    "add_metric": "make the metric in `__init__` and call its `update_state` in `call`",
}
MODEL: dict[str, str] = {
    "predict_classes": "write `model.predict(x).argmax(-1)`, or `model.predict(x) > 0.5` for one unit",
    "predict_proba": "write `model.predict(x)`",
    "predict_generator": "write `model.predict(generator)`",
    "fit_generator": "write `model.fit(generator)`",
    "evaluate_generator": "write `model.evaluate(generator)`",
    "compiled_loss": "write `self.compute_loss(x, y, y_pred, sample_weight)`",
    "compiled_metrics": "write `self.compute_metrics(x, y, y_pred, sample_weight)`",
    "reset_states": "write `layer.reset_state()` for each recurrent layer",
    "total_loss": "write `model.losses`, or the loss that `evaluate` returns",
    "targets": "targets are given to `fit`",
    "sample_weights": "weights are given to `fit`",
    "state_updates": "assign to variables in `call`",
    "to_yaml": "write `model.to_json()`",
    "make_train_function": _OWN_LOOP,
    "make_test_function": _OWN_LOOP,
    "make_predict_function": _OWN_LOOP,
    "distribute_strategy": "there is one processor to run on; its threads are used by themselves",
}
METRIC: dict[str, str] = {"reset_states": "write `metric.reset_state()`"}
OPTIMIZER: dict[str, str] = {
    "lr": "write `optimizer.learning_rate`",
    "get_gradients": "write `ranvier.GradientTape` or `ranvier.grad`",
    "get_updates": "write `optimizer.apply_gradients(zip(gradients, variables))`",
    "get_weights": "write `[v.numpy() for v in optimizer.variables]`",
    "weights": "write `optimizer.variables`",
    "minimize": "write `ranvier.GradientTape` and `optimizer.apply(gradients, variables)`",
}
