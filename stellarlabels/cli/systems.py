"""``stellarlabels systems``: list the systems and their weights."""

__all__ = ["add", "run"]


def add(verbs):
    """Declare the verb and its arguments."""
    verb = verbs.add_parser("systems", help="list the systems and the weights that ship with the package")
    verb.set_defaults(run=run)


def run(options):
    """Carry the verb out."""
    from stellarlabels import systems

    for name in systems.available():
        system = systems.get(name)
        print(f"{name}: {system.title}\n    {system.reference}")
        for weights, text in system.available().items():
            print(f"    {weights:10s} {text}")
