"""Run exported estimators with NumPy and onnxruntime, and export them."""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .models import ExportedModel
from .models import load_exported as load

if TYPE_CHECKING:
    from .export import export_onnx

__all__ = ["ExportedModel", "export_onnx", "load"]

__getattr__ = on_first_use(__name__, {"export": "export_onnx"})
