"""Callbacks: objects that are told how training goes, and may steer it."""

from __future__ import annotations

from ranvier.callbacks.backup_and_restore import BackupAndRestore
from ranvier.callbacks.callback import Callback
from ranvier.callbacks.callback_list import CallbackList
from ranvier.callbacks.csv_logger import CSVLogger
from ranvier.callbacks.early_stopping import EarlyStopping
from ranvier.callbacks.history import History
from ranvier.callbacks.lambda_callback import LambdaCallback
from ranvier.callbacks.learning_rate_scheduler import LearningRateScheduler
from ranvier.callbacks.model_checkpoint import ModelCheckpoint
from ranvier.callbacks.monitor_callback import MonitorCallback as MonitorCallback
from ranvier.callbacks.progbar_logger import ProgbarLogger
from ranvier.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from ranvier.callbacks.swap_ema_weights import SwapEMAWeights
from ranvier.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
]
