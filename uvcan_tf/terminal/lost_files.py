"""What a command says of a file that the system does not give."""

from __future__ import annotations


def sentence(error: OSError) -> str:
    """One sentence; the error passes where it is of no file.

    >>> sentence(FileExistsError(17, "File exists", "out"))
    'out should be a file or folder that this command can use. Received: File exists.'
    """
    if error.filename is None:
        raise error
    return (
        f"{error.filename} should be a file or folder that this command can use. "
        f"Received: {error.strerror}."
    )
