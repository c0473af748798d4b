"""Faults of transformers' caches, for the checks that decode."""

import torch
import transformers


def forgetful(monkeypatch):
    """Every step on top of a cache finds its keys gone."""
    update = transformers.cache_utils.DynamicLayer.update

    def forget(self, key_states, value_states, *args, **kwargs):
        keys, values = update(self, key_states, value_states, *args, **kwargs)
        return (torch.zeros_like(keys), values) if key_states.shape[-2] == 1 else (keys, values)

    monkeypatch.setattr(transformers.cache_utils.DynamicLayer, "update", forget)


def restarting(subject):
    """Positions that start again with every call."""

    def restart(module, args, kwargs):
        positions = kwargs.get("position_ids", args[1] if len(args) > 1 else None)
        return args[:1], {"position_ids": positions - positions[:, :1]}

    subject.module.model.rotary_emb.register_forward_pre_hook(restart, with_kwargs=True)
    return subject


def maskless(subject):
    """A model that drops the attention mask it is given."""
    subject.module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {**kwargs, "attention_mask": None}), with_kwargs=True
    )
    return subject
