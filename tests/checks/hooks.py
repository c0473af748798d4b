"""Faults of a model that show only with some argument of forward."""


def before(subject, change):
    """The keyword arguments of forward, changed."""
    subject.module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, change(dict(kwargs))), with_kwargs=True
    )
    return subject


def after(subject, change):
    """The output of forward, changed in the light of its keyword arguments."""

    def hook(module, args, kwargs, output):
        change(kwargs, output)
        return output

    subject.module.register_forward_hook(hook, with_kwargs=True)
    return subject
