"""The one error that a user meets."""


class InputError(Exception):
    """A mistake that the user can mend: bad parameter, missing file, unusable archive.

    Stages and the command line print it without a traceback and exit with 2.

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
            f"{self.where}\n  expected: {expected}\n  found:    {found}\n  to do:    {fix}"
        )

    def __reduce__(self) -> tuple[object, ...]:  # keyword arguments survive worker processes
        return (_rebuild, (self.where, self.expected, self.found, self.fix))


def _rebuild(where: str, expected: str, found: str, fix: str) -> InputError:
    return InputError(where, expected=expected, found=found, fix=fix)
