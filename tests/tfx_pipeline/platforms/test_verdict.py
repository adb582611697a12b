"""The platform's page says why a model was not blessed."""

from tfx_pipeline.evaluation import COUNT, REPORTED
from tfx_pipeline.platforms.verdict import lines
from tfx_pipeline.report import Report

SLICES = {"overall": {**dict.fromkeys(REPORTED, 0.25), COUNT: 1234.0}}


def test_a_model_that_was_not_blessed_is_shown_with_the_reason() -> None:
    text = list(lines(Report(SLICES, False, ("HR should be at least 0.3.",))))
    assert text[0] == "# Not blessed, not pushed"
    assert "- HR should be at least 0.3." in text
    assert text[-1] == "| overall | 0.2500 | 0.2500 | 0.2500 | 1,234 |"


def test_a_blessed_model_has_no_reasons() -> None:
    text = list(lines(Report(SLICES, True, ())))
    assert text[0] == "# Blessed"
    assert not any(line.startswith("- ") for line in text)
