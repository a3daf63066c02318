"""Why a file is not an export we can read. Each problem says what was found and what to do next.

``reason`` is the machine-readable name that quarantine notes carry.
"""

from __future__ import annotations

from tiktok_assets.exports.safe_text import one_line


class ExportProblem(ValueError):
    """A file that is not, or not entirely, a readable TikTok export. Its message is one line."""

    reason = "problem"

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class BrokenFile(ExportProblem):
    """The bytes are damaged, incomplete, or not a ZIP, CSV or XLSX at all. Exporting again helps."""

    reason = "broken_file"


class UnsafeArchive(ExportProblem):
    """An archive that cannot be an export: encrypted, hostile member names, or a decompression bomb."""

    reason = "unsafe_archive"


class ForeignFile(ExportProblem):
    """A readable table that is not a TikTok Studio or Business Suite export."""

    reason = "foreign_file"


class TranslatedHeader(ForeignFile):
    """A table whose columns are probably TikTok's in a language that is not known. Exporting in English helps."""

    reason = "translated_header"


class WrongSection(ExportProblem):
    """The name promises one section, the content is another."""

    reason = "wrong_section"


class UnreadableValue(ExportProblem):
    """A cell that is neither a value of its column nor a known mark for "missing"."""

    reason = "unreadable_value"


class UnknownAccount(ExportProblem):
    """No configured account owns this file."""

    reason = "unknown_account"


class AccountConflict(ExportProblem):
    """The evidence names more than one account."""

    reason = "account_conflict"


class UnreadableFile(ExportProblem):
    """The operating system refused to let us read the file. The file itself may be fine."""

    reason = "unreadable_file"
