"""``sktspulse export``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from estimator_cases import CASES, checkpoint

import sktspulse

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_a_saved_estimator(run, tmp_path):
    case = CASES["regressor"]
    fitted = case.fit(case.data())
    fitted.save(tmp_path / "model.safetensors")
    answer = run("export", "model.safetensors", "-o", "model.onnx", "--json")
    assert answer.code == 0, answer.err
    assert answer.facts["command"] == "export"
    assert answer.facts["estimator"] == "TSPulseRegressor"
    assert answer.facts["bytes"] == Path("model.onnx").stat().st_size
    found = sktspulse.onnx.load("model.onnx").predict(case.data(1))
    np.testing.assert_allclose(found, fitted.predict(case.data(1)), rtol=1e-3)


def test_a_network_embeds_series(run):
    options = ("--channels", "2", "--embedding", "time")
    answer = run("export", checkpoint(), "-o", "embed.onnx", *options)
    assert answer.code == 0, answer.err
    assert "TSPulseTransformer of 2 channels, 0." in answer.out
    case = CASES["transformer"]
    fitted = case.fit(case.data(), embedding="time")
    found = sktspulse.onnx.load("embed.onnx").transform(case.data(1))
    np.testing.assert_allclose(found, fitted.transform(case.data(1)), atol=1e-4)


@pytest.mark.parametrize(
    ("model", "output", "said"),
    [
        ("tspulse-p9", "a.onnx", "There is no checkpoint 'tspulse-p9'. Known names"),
        ("text.safetensors", "a.onnx", "text.safetensors cannot be loaded as an estimator"),
        ("retriever.safetensors", "a.onnx", "TSPulseRetriever cannot be exported. These can"),
        ("tspulse-p8", "a.bin", "a.bin: choose a name that ends in .onnx."),
        ("tspulse-p8", "absent/a.onnx", "There is no folder 'absent'"),
    ],
)
def test_errors_say_what_to_do(run, tmp_path, model, output, said):
    (tmp_path / "text.safetensors").write_text("text")
    CASES["retriever"].fit(CASES["retriever"].data()).save(tmp_path / "retriever.safetensors")
    answer = run("export", model, "-o", output)
    assert answer.code == 1
    assert said in answer.err
    assert not Path(output).exists()
