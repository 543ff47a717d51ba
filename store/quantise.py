"""Makes the embedder twice as fast: an 8-bit copy of its ONNX model, computed once, checked, kept.

The shipped file stores 8-bit weights but multiplies in float32. Here the weights are unpacked and
quantised again for integer arithmetic, per channel; LoCoMo recall stays within its noise. Wants
the `onnx` package; without it, or where the copy strays too far, the original goes on serving.
"""

from pathlib import Path

import numpy as np

from .embed import FAST_MODEL, OnnxEmbedder

_ALIKE = 0.98
"""Lowest cosine between the two models' vectors that is let pass (0.983 to 0.997 measured)."""
_SAMPLES = (
    "When did Ana go to the support group?",
    "user (8 May 2023): I moved to Porto last week, the flat is small but the light is wonderful.",
    "The deadline of project Falcon is 15 March.",
    "def recall(query, limit=10): return best(fuse(views), limit)",
)


def quantise(directory: Path) -> bool:
    """Writes the fast copy into a model directory; True if it is there and good enough.

    Blocking, some three seconds. Raises ModelUnavailable where the model itself does not load.
    """
    if (directory / FAST_MODEL).is_file():
        return True
    try:
        import onnx  # noqa: F401
    except ImportError:
        return False
    reference = OnnxEmbedder(directory).embed(_SAMPLES)
    plain, fast = directory / "plain.onnx.new", directory / f"{FAST_MODEL}.new"
    try:
        _convert(directory / "model.onnx", plain, fast)
        fast.replace(directory / FAST_MODEL)
    finally:
        plain.unlink(missing_ok=True)
        fast.unlink(missing_ok=True)
    likeness = np.sum(OnnxEmbedder(directory).embed(_SAMPLES) * reference, axis=1)
    if likeness.min() < _ALIKE:
        (directory / FAST_MODEL).unlink()
        return False
    return True


def _convert(stored: Path, plain: Path, fast: Path) -> None:
    """Folds the stored weights into float32, then quantises those."""
    import onnx
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(plain)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(stored), options, providers=["CPUExecutionProvider"])
    folded = onnx.load(str(plain))
    # Says that it is preprocessed; else a warning would be printed across the terminal.
    onnx.helper.set_model_props(folded, {"onnx.quant.pre_process": "onnxruntime.quant"})
    quantize_dynamic(folded, str(fast), weight_type=QuantType.QInt8, per_channel=True)
