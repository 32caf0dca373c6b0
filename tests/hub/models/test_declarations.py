"""Every table says what a merge does to it, and the migrations make exactly the models."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from hub.db.engine import Database
from hub.models import CATEGORIES, Base, Merge


def models() -> list[type[Base]]:
    return [mapper.class_ for mapper in Base.registry.mappers]


def test_every_model_declares_its_merge() -> None:
    assert [m.__name__ for m in models() if not isinstance(vars(m).get("merge"), Merge)] == []


def test_what_follows_has_a_record_and_a_customer() -> None:
    tables = Base.metadata.tables
    following = [m for m in models() if m.merge is Merge.FOLLOW]
    assert following
    for model in following:
        columns = tables[model.__tablename__].columns
        assert "customer_id" in columns
        assert "record_id" in tables[model.part_of or model.__tablename__].columns
        assert model.part_of is None or f"{model.part_of}_id" in columns


def test_what_has_a_customer_says_what_a_merge_does() -> None:
    copies = [m for m in models() if "customer_id" in m.__table__.columns]
    kept = {m.__name__ for m in copies if m.merge is Merge.KEEP}
    assert kept == {"AuditMention", "Disclosure", "Event", "OauthGrant", "PrivacyRequest"}


def test_categories_are_the_known_ones() -> None:
    columns = [c for m in models() for c in m.__table__.columns]
    said = {c.info["category"] for c in columns if "category" in c.info}
    assert (said | {m.category for m in models()}) - {None} <= set(CATEGORIES)


async def test_migrations_make_the_models(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    async with database.direct.connect() as connection:
        assert await connection.run_sync(differences) == []
