"""The SQL of the ledger: one file a statement, named by what it does, the dialects side by side in `sql/`."""

from importlib import resources


def load_statements(dialect: str) -> dict[str, str]:
    """Every statement of a dialect (``sqlite`` or ``postgres``) by its name."""
    ending = f".{dialect}.sql"
    files = resources.files("shipledger.storage").joinpath("sql").iterdir()
    return {
        file.name.removesuffix(ending): file.read_text(encoding="utf-8") for file in files if file.name.endswith(ending)
    }
