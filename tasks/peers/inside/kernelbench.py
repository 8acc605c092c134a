"""Runs in a jail: a problem file of KernelBench's form, as it is."""

import torch
from loading import loaded


def made(file, seed):
    """Arguments of the model and of its call, and what the model gives for them."""
    module = loaded(file, "problem")
    torch.manual_seed(seed)
    initial, inputs = module.get_init_inputs(), module.get_inputs()
    torch.manual_seed(seed)
    model = module.Model(*initial)
    torch.manual_seed(seed)
    with torch.no_grad():
        expected = model(*inputs)
    return {"init_inputs": plain(initial), "inputs": plain(inputs), "expected": plain(expected)}


def plain(value):
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return value
