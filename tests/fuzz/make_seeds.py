#!/usr/bin/env python3
"""Writes the seeds of the gguf and config targets from tests/golden/model: small files, real metadata."""
import pathlib
import shutil

import gguf
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/fuzz/corpus"


def shrink(source, target):
    """The metadata without the vocabulary, and every tensor's name with one element."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            if len(field.data) < 64:
                writer.add_array(key, field.contents())
            continue
        writer.add_key_value(key, field.contents(), field.types[0])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.zeros(1, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    for folder in ("gguf", "config"):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for source in sorted((ROOT / "tests/golden/model").glob("*.f32.gguf")):
        shrink(source, CORPUS / "gguf" / source.name)
    for source in sorted((ROOT / "tests/golden/model").glob("*-s1/config.json")):
        shutil.copy(source, CORPUS / "config" / f"{source.parent.name}.json")


main()
