"""A good minimal input reader: a file that is called by its name alone."""

from tunesmith.contracts.kinds.input_reader import InputFile, PlannedInput
from tunesmith.contracts.untrusted_files import path_of, unreadable


class Provider:
    def read(self, request, planner):
        if not isinstance(request.written, str):
            return None
        path = path_of(request.written, planner.base)
        try:
            return PlannedInput(file=InputFile(path, planner.digest_of(path)), size=path.stat().st_size)
        except (OSError, ValueError) as error:
            raise unreadable(path, request.written, error) from error
