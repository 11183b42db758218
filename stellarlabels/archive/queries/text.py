"""ADQL as a sequence of texts in quotes, comments, placeholders, and what is between them."""

import re

from stellarlabels.exceptions import InputError

__all__ = ["identifier", "pieces", "placeholders", "without_comments"]

#: A quoted text or name, a comment, a placeholder, a brace that is none, or a quote that is never closed.
_TOKEN = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")|(?P<comment>--[^\n]*)|\{(?P<placeholder>[a-z][a-z0-9_]*)\}|(?P<wrong>[{}'"])"""
)
_NAME = r'(?:[A-Za-z][A-Za-z0-9_]*|"[^"\';\\\x00-\x1f-]+(?:-[^"\';\\\x00-\x1f-]+)*-?")'
_IDENTIFIER = re.compile(rf"{_NAME}(?:\.{_NAME}){{0,3}}")


def pieces(template):
    """Split a template.

    Parameters
    ----------
    template : str

    Yields
    ------
    kind : {"plain", "quoted", "comment", "placeholder"}
    text : str
        Of a placeholder, its name.

    Raises
    ------
    InputError
        If a quote is not closed, or a brace or a placeholder is where none can be: inside quotes, or next to another
        letter, digit, quote, bracket or sign.
    """
    end = 0
    for match in _TOKEN.finditer(template):
        if match.start() > end:
            yield "plain", template[end : match.start()]
        kind = match.lastgroup
        line = template.count("\n", 0, match.start()) + 1
        if kind == "wrong":
            raise InputError(f"query: line {line}: a quote is not closed, or a brace belongs to no placeholder")
        if kind == "quoted" and re.search(r"\{[a-z][a-z0-9_]*\}", match[0]):
            raise InputError(
                f"query: line {line}: a placeholder inside quotes, {match[0]}; it stands for a whole value"
            )
        if kind == "placeholder":
            before, after = template[: match.start()][-1:], template[match.end() :][:1]
            if (before and before not in " \t\n(,=<>") or (after and after not in " \t\n),;=<>"):
                raise InputError(f"query: line {line}: the placeholder {match[0]} has to stand alone")
        yield kind, match[kind]
        end = match.end()
    if end < len(template):
        yield "plain", template[end:]


def placeholders(template):
    """Names of the placeholders of a template, each once.

    Parameters
    ----------
    template : str

    Returns
    -------
    list of str
    """
    return list(dict.fromkeys(text for kind, text in pieces(template) if kind == "placeholder"))


def without_comments(template):
    """A template without its comments, blank lines, and blanks at the end of lines.

    Parameters
    ----------
    template : str

    Returns
    -------
    str
    """
    joined = "".join({"comment": "", "placeholder": f"{{{text}}}"}.get(kind, text) for kind, text in pieces(template))
    return "\n".join(line.rstrip() for line in joined.splitlines() if line.strip())


def identifier(name, argument):
    """Check the name of a table or column that becomes part of a query.

    Parameters
    ----------
    name : str
        Regular or in double quotes, with up to three parts before it.
    argument : str
        What the name was given as, for messages.

    Returns
    -------
    str
        The name.

    Raises
    ------
    InputError
        If it is anything but a name.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise InputError(f"{argument}: expected the name of a table or column, got {name!r}")
    return name
