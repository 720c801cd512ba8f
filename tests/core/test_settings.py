"""Settings files: defaults, every problem at once, the nearest key."""

from dataclasses import dataclass

import pytest

from cs_helpers.core.errors import ParameterError
from cs_helpers.core.settings import read_settings


@dataclass(frozen=True)
class Plan:
    discount: float = 0.1
    horizon: int = 36
    excluded: tuple[str, ...] = ()


def written(tmp_path, text):
    file = tmp_path / "settings.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_no_file_means_all_defaults():
    assert read_settings("", Plan) == Plan()


def test_named_keys_replace_defaults(tmp_path):
    assert read_settings(written(tmp_path, "horizon: 24\nexcluded: [a, b]\n"), Plan) == Plan(0.1, 24, ("a", "b"))


def test_every_problem_is_named_at_once_with_the_nearest_key(tmp_path):
    with pytest.raises(ParameterError) as error:
        read_settings(written(tmp_path, "horizn: 24\ndiscount: high\n"), Plan)
    assert "there is no setting 'horizn'. Did you mean 'horizon'?" in str(error.value)
    assert "discount is 'high'; input should be a valid number" in str(error.value)


def test_an_empty_file_means_all_defaults(tmp_path):
    assert read_settings(written(tmp_path, "# nothing yet\n"), Plan) == Plan()


@pytest.mark.parametrize(("text", "words"), [("- a\n", "holds a list"), ("a: [\n", "not YAML")])
def test_a_file_of_another_form_is_one_clear_line(tmp_path, text, words):
    with pytest.raises(ParameterError, match=words):
        read_settings(written(tmp_path, text), Plan)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"nowhere\.yml: the settings file cannot be read"):
        read_settings(tmp_path / "nowhere.yml", Plan)
