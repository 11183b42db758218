"""What several verbs need."""

__all__ = ["check_output", "load_system"]


def check_output(options):
    """Refuse to start work whose result could not be written."""
    from pathlib import Path

    from stellarlabels.exceptions import InputError

    output = Path(options.output)
    if output.exists() and not options.overwrite:
        raise InputError(f"output: {output} exists; give --overwrite to replace it")
    if not output.resolve().parent.is_dir():
        raise InputError(f"output: the folder {output.resolve().parent} does not exist")


def load_system(name, weights):
    """A system with shipped weights or those of a file."""
    from pathlib import Path

    from stellarlabels import systems

    system = systems.get(name)
    if weights is not None and weights not in system.available() and Path(weights).exists():
        return system.load(weights)
    return system.pretrained(weights)
