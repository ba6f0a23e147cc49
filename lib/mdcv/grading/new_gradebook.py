"""A new gradebook, as nbgrader makes it, without the program that nbgrader runs for it.

nbgrader starts `alembic` to learn which version its tables have, and that takes two seconds.
"""

from __future__ import annotations


def make_tables(database: str) -> bool:
    """Makes nbgrader's tables in a database that holds none; returns whether there were none.

    The version is written first: whoever is stopped in between leaves nothing that nbgrader
    would not complete.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or written.
    """
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from nbgrader.api import Base
    from nbgrader.dbutil import ALEMBIC_DIR
    from sqlalchemy import create_engine, inspect

    engine = create_engine(database)
    try:
        if inspect(engine).get_table_names():
            return False
        config = Config()
        config.set_main_option("script_location", ALEMBIC_DIR.replace("%", "%%"))
        with engine.begin() as connection:
            MigrationContext.configure(connection).stamp(
                ScriptDirectory.from_config(config), "head"
            )
        Base.metadata.create_all(bind=engine)
        return True
    finally:
        engine.dispose()
