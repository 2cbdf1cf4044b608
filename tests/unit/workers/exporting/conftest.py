from tests.unit.workers.publishing.conftest import hub

__all__ = ["hub"]
