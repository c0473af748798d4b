"""Models that are asked through a session: an object with the video, the prompts and the memory of what was seen.

A recipe's inputs are tensors. A hook on such a model opens a session with them for each call, so that every target and
check calls it as it calls the others, and nothing of one call is left for the next. Nor is it of a model that keeps
what it made of texts, as if its weights could not change.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

SESSION = "inference_session"
"""The parameter of `forward` that takes the session (SAM 2 video and its kin)."""
VIDEO, POINTS, LABELS = "pixel_values_videos", "input_points", "input_labels"
"""What a session is opened with: frames [frames, channels, height, width]; one prompt for each object, as points
[objects, 1, points, 2] in pixels, and labels [objects, 1, points]."""
TEXT, MASK = "input_ids", "attention_mask"
"""Instead of points, where objects are found by description: one prompt for each row [prompts, tokens]."""


def attach(module: nn.Module) -> None:
    """Let a model that asks for a session be called with what one is opened with; others stay as they are.

    One that keeps answers (OmDet-Turbo) forgets them before each call.
    """
    if asked_through_one(module):
        module.register_forward_pre_hook(_opened, with_kwargs=True)
    if next(_kept_answers(module), None) is not None:
        module.register_forward_pre_hook(_forgotten)


def _kept_answers(module: nn.Module) -> Iterator[Any]:
    """The caches of a model, each an object with a dictionary and its size."""
    return (value for value in vars(module).values() if isinstance(getattr(value, "cache", None), OrderedDict))


def _forgotten(module: nn.Module, _args: tuple[Any, ...]) -> None:
    for kept in _kept_answers(module):
        kept.cache.clear()
        kept.current_load = 0


def asked_through_one(module: nn.Module) -> bool:
    """Whether the model asks for a session."""
    return SESSION in inspect.signature(type(module).forward).parameters


def _opened(module: nn.Module, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Open a session, prompt on the first frame, track up to the last but one; the call itself is for the last."""
    if SESSION in given:
        return args, given
    rest = {name: value for name, value in given.items() if name not in {VIDEO, POINTS, LABELS, TEXT, MASK}}
    video = given[VIDEO]
    places = dict.fromkeys(("inference_device", "inference_state_device", "video_storage_device"), video.device)
    height, width = video.shape[-2:]
    made = session_class(module)(video=video, video_height=height, video_width=width, dtype=video.dtype, **places)
    if TEXT in given:
        _prompt_by_text(made, given[TEXT], given[MASK])
    else:
        _prompt_by_point(made, given[POINTS], given[LABELS])
    forward = type(module).forward
    for frame in range(len(video) - 1):
        forward(module, made, frame_idx=frame)
    return args, {**rest, SESSION: made, "frame_idx": len(video) - 1}


def _prompt_by_point(made: Any, points: torch.Tensor, labels: torch.Tensor) -> None:
    for number in range(len(points)):
        prompt = {"point_coords": points[number : number + 1], "point_labels": labels[number : number + 1]}
        made.add_point_inputs(made.obj_id_to_idx(number + 1), 0, prompt)
    made.obj_with_new_inputs = list(made.obj_ids)


def _prompt_by_text(made: Any, ids: torch.Tensor, mask: torch.Tensor) -> None:
    for number in range(len(ids)):
        place = made.add_prompt(f"prompt {number}")
        made.prompt_input_ids[place] = ids[number : number + 1]
        made.prompt_attention_masks[place] = mask[number : number + 1]


def asks_for_texts(module: nn.Module) -> bool:
    """Whether objects are found by description, not shown by points."""
    return hasattr(session_class(module), "add_prompt")


def session_class(module: nn.Module) -> Any:
    """The class of the session, which lives beside that of the model under the name that `forward` announces."""
    announced = inspect.signature(type(module).forward).parameters[SESSION].annotation
    if isinstance(announced, type):
        return announced
    return getattr(inspect.getmodule(type(module)), str(announced))
