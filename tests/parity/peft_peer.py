#!/usr/bin/env python3
"""Hugging Face's PEFT over a transformers model: makes an adapter, or says what a model with one computes.

Runs in the environment that bench/train_torch.py describes, with peft and transformers in it:
    build/venv-peer-torch/bin/pip install peft==0.21.2 transformers==5.24.0
    build/venv-peer-torch/bin/python tests/parity/peft_peer.py make MODEL ADAPTER MODULE,MODULE
    build/venv-peer-torch/bin/python tests/parity/peft_peer.py logits MODEL ADAPTER IDS OUT.safetensors
"""
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM


def base(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def make(folder, adapter, modules):
    torch.manual_seed(1)
    config = LoraConfig(r=3, lora_alpha=7, target_modules=modules.split(","), task_type="CAUSAL_LM")
    model = get_peft_model(base(folder), config)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if "lora_B" in name:  # zero at first, which would say nothing
                values.normal_(0, 0.1)
    model.save_pretrained(adapter)


@torch.no_grad()
def logits(folder, adapter, ids, out):
    model = PeftModel.from_pretrained(base(folder), adapter)
    tokens = torch.tensor([[int(word) for word in ids.split(",")]])
    plain = base(folder)(tokens).logits[0]
    save_file({"logits": model(tokens).logits[0].contiguous(), "base": plain.contiguous()}, out)


if __name__ == "__main__":
    {"make": make, "logits": logits}[sys.argv[1]](*sys.argv[2:])
