"""``stellarlabels inspect``: what a model gives, what it was trained on, and where it holds."""

from stellarlabels.cli.checks import names_of_systems, weights_file
from stellarlabels.exceptions import InputError

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_systems
    verb.add_argument("model", metavar="MODEL", help="file of a saved model, or name of a system")
    verb.add_argument("--weights", help="shipped weights of the system (default: the system's default)")


def run(options):
    """Carry the verb out."""
    print("\n".join(_card(*_model(options))))


def _model(options):
    """The system's class, the description in its file, and what was measured of it, if it ships with the package."""
    from pathlib import Path

    from stellarlabels import systems
    from stellarlabels.labels import modelfile

    if Path(options.model).is_file():
        description = modelfile.read_description(options.model)
        return systems.get(description["system"]), description, None
    cls = systems.get(options.model)
    if options.weights is not None and options.weights not in cls.shipped:
        raise InputError(f"weights: expected one of {', '.join(cls.shipped)}, got {options.weights!r}")
    with weights_file(options.model, options.weights) as path:
        return cls, modelfile.read_description(path), cls.metrics(options.weights)


def _card(cls, description, measured):
    """Lines of the model card."""
    from stellarlabels import columns

    recipe, done = description["recipe"], description["provenance"]
    yield f"{cls.name} {description['recipe_name']}: {cls.title}"
    yield f"  reference   {cls.reference}"
    made_for = description.get("release") or cls(description["recipe_name"]).release
    yield f"  input       {recipe['features']}{f' of {made_for}' if made_for else ''}"
    yield f"  networks    {done.get('networks', recipe['ensemble'])} x {recipe['network']}"
    yield f"  trained on  {done.get('stars'):,} stars; {done.get('sample', 'a table of its maker')}"
    yield f"  written     {done.get('date', 'unknown')} by stellarlabels {done.get('stellarlabels', 'unknown')}"
    yield "  labels      from, to (of the training stars)" + ("; scatter on held-out stars" if measured else "")
    overall = next(iter(measured["measured"].values()))["all"] if measured else {}
    for name, (low, high, *_) in description["domain"]["labels"].items():
        unit = columns.column(name).unit
        found = overall.get(name, {}).get("robust_scatter")
        yield f"    {name:12s}{low:10.4g}{high:10.4g}" + (f"{found:10.4g}" if found is not None else "") + f" {unit}"
    for name, (low, high, *_) in description["domain"]["ranges"].items():
        yield f"  {name:12s}from {low:.4g} to {high:.4g}"
    if cls.citation:
        yield from ("please cite", cls.citation)
