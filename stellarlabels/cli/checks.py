"""What several verbs need: arguments that are checked before anything heavy is loaded, and systems by name."""

import os
from contextlib import contextmanager
from glob import glob
from importlib.resources import as_file
from pathlib import Path

from stellarlabels.exceptions import InputError, ReadError

__all__ = [
    "add_learning",
    "check_distances",
    "check_format",
    "check_inputs",
    "check_networks",
    "check_numbers",
    "check_output",
    "load_system",
    "names_of_schemas",
    "names_of_systems",
    "paths_of",
    "token_of",
]


def add_learning(verb, table, release="Gaia release of the stars, where they do not tell it, or 'ignore'; see 'label'"):
    """Declare what verbs have in common that learn a model from a table, with the help of two arguments."""
    verb.names = names_of_systems
    verb.add_argument("system", metavar="SYSTEM", help="name of a system")
    verb.add_argument("table", help=table)
    verb.add_argument("-o", "--output", required=True, help="model file to write, usually *.stellarlabels")
    verb.add_argument("--release", help=release)
    verb.add_argument("--overwrite", action="store_true", help="replace an existing model file")


def check_output(options):
    """Refuse to start work whose result could not be written."""
    output = Path(options.output)
    if output.exists() and not options.overwrite:
        raise InputError(f"output: {output} exists; give --overwrite to replace it")
    if output.exists():
        from stellarlabels import files

        given = [value for name, value in vars(options).items() if name != "output"]
        texts = [text for value in given for text in (value if isinstance(value, list) else [value])]
        files.keep_inputs(output, [text for text in texts if isinstance(text, str) and os.path.exists(text)])
    if not output.resolve().parent.is_dir():
        raise InputError(f"output: the folder {output.resolve().parent} does not exist; make it first")


def check_inputs(*paths):
    """Refuse to start work on files that are not there."""
    for path in paths:
        if not os.path.exists(path) and not glob(path, recursive=True):
            raise ReadError(f"input: there is no file {path}")


def check_numbers(options, *names):
    """Refuse numbers of things that are not positive."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(f"{name}: expected a positive whole number, got {value}")


def check_distances(name):
    """Refuse a system without distances."""
    from stellarlabels import systems

    if not hasattr(systems.get(name), "distances"):
        there = [one for one in systems.available() if hasattr(systems.get(one), "distances")]
        raise InputError(f"system: {name} has no distances; {', '.join(there)} have")


def check_format(output):
    """Refuse a name whose suffix is none of a format that can be written."""
    from stellarlabels import files

    files.find(output)


def paths_of(arguments):
    """The arguments, with those that begin with @ replaced by the lines of the file that they name; all exist."""
    out = []
    for argument in arguments:
        if not argument.startswith("@"):
            out.append(argument)
            continue
        try:
            lines = Path(argument[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ReadError(f"input: {argument[1:]} cannot be read as a list of files; {error}") from error
        out += [line.strip() for line in lines if line.strip()]
    check_inputs(*out)
    return out


def load_system(name, weights):
    """A system with shipped weights or those of a file."""
    from stellarlabels import systems

    with weights_file(name, weights) as path:
        return systems.get(name).load(path)


@contextmanager
def weights_file(name, weights):
    """The file of shipped weights, by their name (None: the default), or of a saved model, by its own."""
    from stellarlabels import systems

    system = systems.get(name)
    if weights is not None and weights not in system.shipped:
        if not Path(weights).is_file():
            shipped = ", ".join(system.shipped)
            raise InputError(f"weights: expected {shipped} of {name}, or the file of a saved model; got {weights!r}")
        yield Path(weights)
        return
    with as_file(system.shipped_file(weights)) as path:
        yield path


def check_networks(name, weights, count):
    """Refuse more networks than there are."""
    from stellarlabels.labels import modelfile

    with weights_file(name, weights) as path:
        there = modelfile.read_description(path)["recipe"]["ensemble"]
    if count > there:
        raise InputError(f"networks: expected a whole number from 1 to {there}, got {count}")


def token_of(path):
    """A token from a file: on the command line, everybody on the machine could read it."""
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"token-file: {path} cannot be read: {error}") from error


def names_of_systems():
    """The end of a help text that lists the systems."""
    from stellarlabels import systems

    return f"systems: {', '.join(systems.available())}; 'stellarlabels systems' tells more of them"


def names_of_schemas():
    """The end of a help text that lists the published catalogs."""
    from stellarlabels.catalogs import schemas

    return f"schemas: {', '.join(schemas.available())}"
