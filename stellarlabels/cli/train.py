"""``stellarlabels train``: train a system on a table."""

from stellarlabels.cli.checks import add_learning, check_inputs, check_output

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    add_learning(verb, "training table")
    verb.add_argument("--recipe", help="recipe (default: the first that `stellarlabels systems` lists)")
    verb.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
    verb.add_argument("--seed", type=int, help="start of the random numbers (default: the recipe's)")
    verb.add_argument("--validation", type=float, default=0.1, help="share of the stars for validation (default: 0.1)")


def run(options):
    """Carry the verb out."""
    check_output(options)
    check_inputs(options.table)
    from stellarlabels import systems
    from stellarlabels.inputs.xp import read_table

    changes = {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
    system = systems.get(options.system)(options.recipe, **changes)
    system.fit(read_table(options.table), validation=options.validation, release=options.release)
    system.save(options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {system}")
