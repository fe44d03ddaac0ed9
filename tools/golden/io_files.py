#!/usr/bin/env python3
"""Writes tests/golden/io/: files made by the formats' own Python packages (numpy, gguf, safetensors).

Usage: tools/golden/io_files.py [FOLDER]   (default tests/golden/io)
"""
import json
import pathlib
import sys

import gguf
import numpy as np
from safetensors.numpy import save_file


def numbers(count, shift):
    """Values that every format here holds exactly."""
    return ((np.arange(count) * 7 + shift) % 31 - 15).astype(np.float32) / 4


def write_gguf(path):
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_uint8("test.u8", 200)
    writer.add_int8("test.i8", -100)
    writer.add_uint16("test.u16", 60000)
    writer.add_int16("test.i16", -30000)
    writer.add_uint32("test.u32", 4000000000)
    writer.add_int32("test.i32", -2000000000)
    writer.add_uint64("test.u64", 2**63 + 5)
    writer.add_int64("test.i64", -(2**62))
    writer.add_float32("test.f32", 0.15625)
    writer.add_float64("test.f64", -1e-200)
    writer.add_bool("test.bool", True)
    writer.add_string("test.string", "Grüße, 世界")
    writer.add_array("test.strings", ["a", "", "ccc"])
    writer.add_array("test.integers", [1, -2, 3])
    writer.add_array("test.numbers", [0.5, -0.25])
    writer.add_custom_alignment(64)
    writer.add_tensor("a.f32", numbers(6, 0).reshape(2, 3))
    writer.add_tensor("b.f16", numbers(10, 3).astype(np.float16).reshape(5, 2))
    q8 = gguf.quants.quantize(numbers(128, 5).reshape(2, 64), gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("c.q8_0", q8, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("d.4d", numbers(24, 9).reshape(1, 2, 3, 4))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_safetensors(path):
    tensors = {
        "f32": numbers(6, 0).reshape(2, 3),
        "f16": numbers(4, 1).astype(np.float16),
        "f64": numbers(2, 2).astype(np.float64),
        "i64": np.array([[-5, 2**40]], np.int64),
        "i32": np.array([7, -8], np.int32),
        "i16": np.array([300], np.int16),
        "i8": np.array([-3], np.int8),
        "u8": np.array([255, 1], np.uint8),
        "bool": np.array([True, False]),
        "scalar": np.array(2.5, np.float32),
    }
    save_file(tensors, path, metadata={"format": "np", "note": "made for tests"})


def write_shards(folder):
    folder.mkdir(exist_ok=True)
    shards = {
        "model-00001-of-00002.safetensors": {"a": numbers(4, 0), "b": numbers(8, 1).reshape(2, 4)},
        "model-00002-of-00002.safetensors": {"c": numbers(3, 2)},
    }
    weight_map = {}
    for name, tensors in shards.items():
        save_file(tensors, folder / name)
        weight_map.update({tensor: name for tensor in tensors})
    index = {"metadata": {"total_size": 60}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/io")
    folder.mkdir(parents=True, exist_ok=True)
    write_gguf(folder / "types.gguf")
    write_safetensors(folder / "types.safetensors")
    write_shards(folder / "sharded")


main()
