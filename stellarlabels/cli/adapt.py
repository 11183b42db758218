"""``stellarlabels adapt``: carry a system over to another data release."""

from stellarlabels.cli.checks import add_learning, check_inputs, check_output, load_system

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    add_learning(
        verb,
        "stars with spectra of the new release, some 5,000",
        "Gaia release of the new spectra, where they do not tell it",
    )
    verb.add_argument("--same-as", required=True, metavar="OLD", help="the same stars in the release of the system")
    verb.add_argument(
        "--pairs", help="table of pairs of identifiers, such as the archive's neighbours (default: by position)"
    )
    verb.add_argument("--labels", help="known labels of the stars, row by row, that the networks were not trained on")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")


def run(options):
    """Carry the verb out."""
    check_output(options)
    given = {name: getattr(options, name) for name in ("table", "same_as", "pairs", "labels")}
    check_inputs(*(path for path in given.values() if path is not None))
    from stellarlabels import files
    from stellarlabels.inputs.xp import read_table

    system = load_system(options.system, options.weights)
    tables = {name: None if path is None else read_table(path) for name, path in given.items() if name != "pairs"}
    tables["pairs"] = None if options.pairs is None else files.read_raw(options.pairs)[0][0].table
    adapted = system.adapt(tables.pop("table"), **tables, release=options.release)
    adapted.save(options.output, overwrite=options.overwrite)
    done = adapted.provenance_["adapted"]
    print(f"wrote {options.output}: {adapted.name} for {done['release']}, learned from {done['stars']} stars")
    for step, scatter in done["scatter_in_errors"].items():
        told = ", ".join(f"{label} {value:.2f}" for label, value in scatter.items())
        print(f"scatter about the labels of {done['from_release']}, in their errors, with the {step}: {told}")
