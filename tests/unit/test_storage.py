"""On what kind of file system a path lies."""

from pathlib import Path

import pytest

from ftkit.storage import is_shared, storage_kind

MOUNTS = """\
/dev/vda / ext4 rw 0 0
nas:/a /mnt/nas nfs4 rw 0 0
drive /mnt/my\\040drive fuse.rclone rw 0 0
tmpfs /mnt/nas/fast tmpfs rw 0 0
overlay /mnt/twice overlay rw 0 0
//server/x /mnt/twice cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", "ext4"),
        ("/mnt/nas/home", "nfs4"),
        ("/mnt/nasty", "ext4"),
        ("/mnt/my drive/home", "fuse.rclone"),
        ("/mnt/nas/fast/home", "tmpfs"),
        ("/mnt/twice/home", "cifs"),
    ],
)
def test_the_kind_of_storage_is_that_of_the_nearest_mount(tmp_path: Path, path: str, kind: str) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert storage_kind(Path(path), tmp_path / "mounts") == kind


def test_a_system_without_mounts_is_not_guessed(tmp_path: Path) -> None:
    assert storage_kind(tmp_path, tmp_path / "none") == ""
    assert not is_shared("")
