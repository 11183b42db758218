"""``stellarlabels systems``: list the systems and their weights."""

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""


def run(options):
    """Carry the verb out."""
    from stellarlabels import systems

    for name in systems.available():
        system = systems.get(name)
        print(f"{name}: {system.title}\n    {system.reference}")
        for weights, text in system.available().items():
            print(f"    {weights:10s} {text}")
