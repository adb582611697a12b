"""The serving folder knows which model was blessed last."""

from pathlib import Path

from tfx_pipeline.pusher import pushed_versions


def _version(folder: Path, name: str, whole: bool = True) -> None:
    (folder / name).mkdir()
    if whole:
        (folder / name / "saved_model.pb").write_text(name)


def test_the_newest_version_comes_first(tmp_path: Path) -> None:
    for name in ("9", "11", "100"):
        _version(tmp_path, name)
    found = [Path(path).name for path in pushed_versions(str(tmp_path))]
    assert found == ["100", "11", "9"]


def test_what_is_no_whole_version_is_passed_by(tmp_path: Path) -> None:
    _version(tmp_path, ".incomplete-7")
    _version(tmp_path, "5", whole=False)
    _version(tmp_path, "3")
    assert [Path(p).name for p in pushed_versions(str(tmp_path))] == ["3"]


def test_a_version_whose_variables_broke_off_is_passed_by(tmp_path: Path) -> None:
    for name in ("3", "4"):
        _version(tmp_path, name)
    (tmp_path / "4" / "variables").mkdir()
    assert [Path(p).name for p in pushed_versions(str(tmp_path))] == ["3"]


def test_before_the_first_push_there_is_none(tmp_path: Path) -> None:
    assert list(pushed_versions(str(tmp_path / "none"))) == []
