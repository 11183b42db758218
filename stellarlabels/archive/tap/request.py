"""One query, ready to be sent."""

from dataclasses import dataclass, field
from io import BytesIO

from stellarlabels.archive.tap import faults
from stellarlabels.archive.tap.session import Session

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """What goes to a service.

    Parameters
    ----------
    where : str
        Name of the service, for messages.
    url : str
    adql : str
    session : `~stellarlabels.archive.tap.session.Session`
    maxrec : int, optional
    uploads : dict
        Name -> VOTable as bytes.
    """

    where: str
    url: str
    adql: str
    session: Session
    maxrec: int | None = None
    uploads: dict = field(default_factory=dict)

    def translated(self):
        """A context in which errors of pyvo and requests become ours."""
        return faults.translated(self.where, self.session.has_login)

    def streams(self):
        """The uploads as new streams, or None.

        Returns
        -------
        dict or None
        """
        return {name: BytesIO(data) for name, data in self.uploads.items()} or None

    def content(self, response):
        """The whole of a reply.

        Parameters
        ----------
        response : `requests.Response`

        Returns
        -------
        bytes

        Raises
        ------
        ServiceError
            If its status is one of failure, or the connection broke.
        """
        faults.check(response, self.where, self.session.has_login)
        return response.content
