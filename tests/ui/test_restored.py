"""A database that was damaged while nobody looked: Home says which backup took its place, until that was read."""

import random

import pytest
from playwright.sync_api import expect

from ftkit.settings import Settings
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.ui.conftest import Dashboard
from tests.ui.test_survival import wait_for
from tests.unit.store.backup.stocked import PAGE

pytestmark = pytest.mark.browser


def spoil(dashboard: Dashboard) -> None:
    file, chance = dashboard.home / "ftkit.sqlite", random.Random(3)
    content = bytearray(file.read_bytes())
    for _ in range(20):
        begin = chance.randrange(len(content) - PAGE)
        content[begin : begin + PAGE] = chance.randbytes(PAGE)
    file.write_bytes(content)


def test_home_says_which_backup_took_the_place_of_a_damaged_database(open_page, dashboard: Dashboard) -> None:
    backups = dashboard.home / "backups"
    wait_for(lambda: backups.is_dir() and any(backups.glob("ftkit-*.sqlite")), 60)
    dashboard.end()
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        workspace.data.import_sample("house-voice-en")
    spoil(dashboard)
    dashboard.start()
    page = open_page()
    banner = page.locator("#home-restored .ft-notice")
    expect(banner).to_contain_text("took its place")
    expect(banner).to_contain_text(say("restored.row.dataset", "en"))
    expect(banner).to_contain_text("ftkit.sqlite.damaged-")
    turkish = open_page(locale="tr-TR", width=390)
    expect(turkish.locator("#home-restored .ft-notice")).to_contain_text("yerine", ignore_case=True)
    page.get_by_role("button", name=say("restored.read", "en")).click()
    expect(banner).to_have_count(0)
    expect(page.get_by_role("button", name=say("restored.read", "en"))).to_be_hidden()
    page.reload()
    expect(page.locator("#home-way li").first).to_be_visible()
    expect(banner).to_have_count(0)
    assert list(dashboard.home.glob("ftkit.sqlite.damaged-*Z"))
