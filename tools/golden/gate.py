"""tests/golden/ops/gate.safetensors: router inputs and outputs of small random models.

usage: gate.py FOLDER, one folder inside per model: model.safetensors (with the correction bias) and
expected.safetensors (router_logits_l, router_idx_l sorted by expert and router_weight_l of layer l,
as transformers 5.23 computes them in f32).
"""
import sys
from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save_file

MODELS = ["deepseek_v2", "deepseek_v2_full", "deepseek_v3", "deepseek_v3_fp8"]
OUT = Path(__file__).resolve().parents[2] / "tests/golden/ops/gate.safetensors"


def main(folder):
    tensors = {}
    for model in MODELS:
        expected = safe_open(folder / f"{model}-s1/expected.safetensors", "np")
        weights = safe_open(folder / f"{model}-s1/model.safetensors", "np")
        for key in expected.keys():
            if not key.startswith("router_logits_"):
                continue
            layer = key.rpartition("_")[2]
            name = f"{model}.{layer}."
            tensors[name + "logits"] = expected.get_tensor(key)
            tensors[name + "experts"] = expected.get_tensor(f"router_idx_{layer}")
            tensors[name + "weights"] = expected.get_tensor(f"router_weight_{layer}")
            bias = f"model.layers.{layer}.mlp.gate.e_score_correction_bias"
            if bias in weights.keys():
                tensors[name + "bias"] = weights.get_tensor(bias)
    save_file(tensors, OUT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
