"""Writes tests/golden/quant/blocks.safetensors: raw blocks of every format and their values.

Usage: python tools/golden/quant_blocks.py  (needs numpy, gguf and safetensors)

For each block format: <name>.raw (n, bytes) u8 and <name>.f32 (n, elements), decoded by gguf-py.
The first two blocks are all zero bits and all one bits; the rest are random bits whose f16 scales
are finite, with extreme ones among them. encode.input (n, 32) f32 and encode.<name> (n, bytes) u8:
weights and their blocks from gguf-py's encoders.
"""

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants
from safetensors.numpy import save_file

BLOCKS = 20
# Byte offsets of the f16 numbers in a block.
HALVES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ4_NL": [0], "IQ4_XS": [0],
}  # fmt: skip
EXTREMES = np.array([6e-8, -6e-8, 6.1e-5, 65504, -65504, 0, -0.0], dtype=np.float16)


def main():
    rng = np.random.default_rng(20260)
    tensors = {}
    for name, offsets in HALVES.items():
        kind = GGMLQuantizationType[name]
        _, size = GGML_QUANT_SIZES[kind]
        raw = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
        for offset in offsets:
            d = rng.normal(0, 0.02, BLOCKS).astype(np.float16)
            d[-len(EXTREMES) :] = rng.permutation(EXTREMES)
            raw[:, offset : offset + 2] = d.view(np.uint8).reshape(BLOCKS, 2)
        raw[0] = 0
        raw[1] = 255
        tensors[f"{name}.raw"] = raw
        with np.errstate(all="ignore"):
            tensors[f"{name}.f32"] = quants.dequantize(raw, kind)
    weights = rng.standard_t(4, (64, 32)).astype(np.float32)
    weights[0] = 0
    weights[1] = -0.25
    tensors["encode.input"] = weights
    for name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"):
        tensors[f"encode.{name}"] = quants.quantize(weights, GGMLQuantizationType[name])
    save_file(tensors, "tests/golden/quant/blocks.safetensors")


if __name__ == "__main__":
    main()
