"""The flags of the published catalogs, as their schemas declare them, in the registry of `stellarlabels.flags`."""

from stellarlabels import flags
from stellarlabels.catalogs import schemas


def register_all():
    """Register the flag sets of all schemas, which their metadata hold under ``flag_sets``."""
    # By name: "description"; "bits", a list of names and meanings, or "same_as", another set whose bits these are;
    # "zero", what it means that no bit is set; "good", the value against which nothing is to be said.
    for schema in map(schemas.get, schemas.available()):
        for name, declared in schema.notes.get("flag_sets", {}).items():
            flags.register(_flag_set(name, declared))


def _flag_set(name, declared):
    own = {key: declared[key] for key in ("zero", "good") if key in declared}
    entries = declared.get("bits")
    if entries is None:
        entries = [(flag.name, flag.meaning, flag.level) for flag in flags.get(declared["same_as"])]
    return flags.FlagSet(name, declared["description"], entries, **own)


register_all()
