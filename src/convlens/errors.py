"""The one error that a user meets, and what no message may say."""

import errno
import os
import re

_SECRET_NAME = r"TOKEN|SECRET|PASSW|API_?KEY|ACCESS_?KEY|CREDENTIAL|SIGNATURE"
_SECRET_VARIABLE = re.compile(_SECRET_NAME, re.IGNORECASE)
_USER_IN_URI = re.compile(r"(?<=://)[^/\s'\"]+@")
_SECRET_IN_QUERY = re.compile(rf"([?&][\w.-]*(?:{_SECRET_NAME}|sig)=)[^&\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return `text` without users and secrets of URIs and values of secret-looking variables."""
    text = _SECRET_IN_QUERY.sub(r"\1***", _USER_IN_URI.sub("***@", text))
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET_VARIABLE.search(name):
            text = text.replace(value, "***")
    return text


class InputError(Exception):
    """A mistake that the user can mend: bad parameter, missing file, unusable archive.

    Stages and the command line print it without a traceback and exit with 2. What it says is
    masked, since addresses and the words of other programs may hold credentials.

    Parameters
    ----------
    where
        The file, key or layer that is wrong.
    expected, found
        What would have been right, and what is there.
    fix
        What to do next.
    """

    def __init__(self, where: object, *, expected: str, found: str, fix: str) -> None:
        self.where, self.expected, self.found, self.fix = str(where), expected, found, fix
        super().__init__(
            masked(f"{self.where}\n  expected: {expected}\n  found:    {found}\n  to do:    {fix}")
        )

    def __reduce__(self) -> tuple[object, ...]:  # keyword arguments survive worker processes
        return (_rebuild, (self.where, self.expected, self.found, self.fix))


_MENDABLE = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EACCES: "give yourself the right to write there and run again",
    errno.EPERM: "give yourself the right to write there and run again",
    errno.EROFS: "make the disk writable, or work on another one",
    errno.ENOTDIR: "name another place: a file stands there",
}


def of_the_disk(error: OSError) -> InputError:
    """Return what a full or read-only disk means to a user; raise any other `error` again."""
    if error.errno not in _MENDABLE:
        raise error
    return InputError(
        error.filename or os.curdir,
        expected="a disk with room that may be written to",
        found=os.strerror(error.errno),
        fix=_MENDABLE[error.errno],
    )


EXTRA = ("cv2", "dvc", "imagehash", "mlflow", "onnx", "psutil", "sklearn")


def missing_extra(module: str) -> InputError:
    """Return that `module`, one of EXTRA, isn't installed, and how to get it."""
    return InputError(
        "the installation of convlens",
        expected="the extra `pipeline`, which all but explaining and predicting needs",
        found=f"no module named {module} (pip install 'convlens[pipeline]')",
        fix="install it: pip install 'convlens[pipeline]'",
    )


def _rebuild(where: str, expected: str, found: str, fix: str) -> InputError:
    return InputError(where, expected=expected, found=found, fix=fix)
