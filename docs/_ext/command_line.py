"""``.. command-line::``: all verbs of the program with their arguments, from its parsers."""

import argparse
import re
from importlib import import_module

from generated import Generated, heading, literal, plain

from stellarlabels import cli


def verbs():
    """Name, help and parser of each verb; the program itself knows the arguments of one verb at a time."""
    parser = cli._parser(None)
    [action] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for name, verb in action.choices.items():
        import_module(f"stellarlabels.cli.{name}").add(verb)
        yield name, verb


def text(help_text):
    """Text of the help, options in it as literals."""
    return re.sub(r"(?<![\w-])(--?[a-z][\w-]*)", r"``\1``", plain(help_text))


def argument(action, formatter):
    """Lines of one argument: how it is written, and its help."""
    value = formatter._format_args(action, formatter._get_default_metavar_for_positional(action))
    if action.option_strings:
        value = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))
    words = action.option_strings or [value]
    written = ", ".join(words) + (f" {value}" if action.option_strings and value else "")
    return [literal(written), f"    {text(formatter._expand_help(action) if action.help else '')}", ""]


class CommandLine(Generated):
    """A section for each verb."""

    def lines(self):
        """Usage, what the verb does, and its arguments by group."""
        out = []
        for name, verb in verbs():
            usage = verb.format_usage().removeprefix("usage: ").splitlines()
            usage = [line.removeprefix("       ") for line in usage]
            out += [*heading(name), text(verb.description), "", ".. code-block:: text", ""]
            out += [*(f"   {line}" for line in usage), ""]
            formatter = verb._get_formatter()
            for group in verb._action_groups:
                shown = [action for action in group._group_actions if not isinstance(action, argparse._HelpAction)]
                if shown:
                    out += [f".. rubric:: {plain(group.title[0].upper() + group.title[1:])}", ""]
                    out += [text(group.description), ""] if group.description else []
                    out += [line for action in shown for line in argument(action, formatter)]
        return out


def setup(app):
    """Register the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
