"""The SQL of the ledger: one file a statement, named by what it does, the dialects side by side in `sql/`."""

import re
from importlib import resources

_REMARK = re.compile(r"^\s*--.*\n", re.MULTILINE)


def load_statements(dialect: str) -> dict[str, str]:
    """Every statement of a dialect (``sqlite`` or ``postgres``) by its name.

    Without remarks and indentation: the driver of the embedded database looks statements up by their text, row by row.
    """
    ending = f".{dialect}.sql"
    files = resources.files("shipledger.storage").joinpath("sql").iterdir()
    return {
        file.name.removesuffix(ending): _shortened(file.read_text(encoding="utf-8"))
        for file in files
        if file.name.endswith(ending)
    }


def _shortened(statement: str) -> str:
    return "\n".join(line.strip() for line in _REMARK.sub("", statement).splitlines())
