"""The error family is complete and speaks in sentences."""

import inspect

import grpc
import pytest

from serving.client import errors


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_every_status_becomes_an_error_of_the_family(code: grpc.StatusCode) -> None:
    error = errors.from_status(code, "why", "host:1")
    assert isinstance(error, errors.ServingError)
    assert type(error) is not errors.ServingError
    assert "host:1" in str(error) and str(error).endswith("why.")


def test_a_status_without_details_is_named() -> None:
    error = errors.from_status(grpc.StatusCode.INTERNAL, "", "host:1")
    assert str(error) == "The server at host:1 failed: INTERNAL."


def test_a_message_of_several_lines_becomes_one() -> None:
    error = errors.from_status(grpc.StatusCode.INTERNAL, "a\n\t [[b]]", "host:1")
    assert str(error).endswith("a [[b]].")


def test_the_tree_at_the_top_names_every_error() -> None:
    tree = errors.__doc__ or ""
    for name, member in inspect.getmembers(errors, inspect.isclass):
        if issubclass(member, errors.ServingError):
            assert name in tree


def test_a_sentence_of_the_model_comes_without_the_words_around_it() -> None:
    """As TensorFlow tells of a check that failed in the graph."""
    details = (
        "assertion failed: [`k` should be at most 20 [sic]. Received: k=50. Ask for "
        "fewer.]\n\t [[{{function_node __inference_call_24331}}{{node Assert}}]]"
    )
    error = errors.from_status(grpc.StatusCode.INVALID_ARGUMENT, details, "host:1")
    assert str(error) == (
        "The server at host:1 refused the request: `k` should be at most 20 [sic]. "
        "Received: k=50. Ask for fewer."
    )
