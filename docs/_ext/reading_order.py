"""The order in which tutorials are read; those that are not named here come after them, by file name."""

from pathlib import Path

ORDER = (
    "plot_uacsnet.py",
    "plot_tables.py",
    "plot_query.py",
    "plot_uncertain.py",
    "plot_solardis.py",
    "plot_spcanet.py",
    "plot_surveys.py",
    "plot_distances.py",
    "plot_validation.py",
    "plot_report.py",
    "plot_stars.py",
    "plot_clusters.py",
    "plot_publish.py",
    "plot_own_survey.py",
    "plot_dr4.py",
)


def key(filename):
    """What a tutorial is sorted by."""
    name = Path(filename).name
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
