"""``stellarlabels systems``: list the systems and their weights."""

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""


def run(options):
    """Carry the verb out."""
    from stellarlabels import systems

    for name in systems.available():
        system = systems.get(name)
        print(f"{name}: {system.title}\n    {system.reference}\n    {_release(system)}")
        for weights, text in system.available().items():
            print(f"    {weights:16s} {text}")
        print(f"    {'(paper)':16s} {_paper(system)}")


def _paper(system):
    """What the paper's network has, for which one's own labels are needed."""
    name = "paper" if "paper" in system.recipes else next(iter(system.recipes))
    return f"{', '.join(system.recipes[name].labels)}; recipe {name!r}: train it on your own labels"


def _release(system):
    """For which data release a system is."""
    needed = list(dict.fromkeys(system(recipe).release for recipe in system.recipes))
    known = [release for release in needed if release is not None]
    return f"for spectra of {' and '.join(known)}" if known else "for any release of Gaia"
