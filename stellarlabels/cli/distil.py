"""``stellarlabels distil``: a system with few networks that says what one with many says."""

from stellarlabels.cli.checks import add_learning, check_inputs, check_output, load_system

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    add_learning(verb, "stars with inputs and labels, such as those of the training")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--networks", type=int, default=1, help="networks of the student (default: 1)")
    verb.add_argument("--copies", type=int, default=16, help="copies of each star to learn from (default: 16)")
    verb.add_argument("--epochs", type=int, help="number of epochs (default: 40)")
    verb.add_argument("--seed", type=int, help="start of the random numbers (default: that of the system)")
    verb.add_argument("--validation", type=float, default=0.1, help="share of the stars left out (default: 0.1)")


def run(options):
    """Carry the verb out."""
    check_output(options)
    check_inputs(options.table)
    from stellarlabels.inputs.xp import read_table

    system = load_system(options.system, options.weights)
    given = {name: getattr(options, name) for name in ("networks", "copies", "validation", "release")}
    given |= {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
    student = system.distil(read_table(options.table), **given)
    student.save(options.output, overwrite=options.overwrite)
    told = student.provenance_["student"]["scatter_about_teacher_in_errors"]
    told = ", ".join(f"{label} {value:.2f}" for label, value in told.items())
    print(f"wrote {options.output}: {student}")
    print(f"scatter about the labels of the {system.recipe.ensemble} networks, in errors, of stars left out: {told}")
