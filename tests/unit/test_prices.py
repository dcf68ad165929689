"""The price sheet: what is tracked, and the words for what cannot be meant."""

from pathlib import Path

import pytest

from reports.prices import DEFAULT_FILE, PriceError, read_prices

ROW = """
[price.here]
cloud = "ours"
product = "a machine"
region = "the cellar"
as_of = 2026-11-22
source = "https://example.org/prices"
vcpu_hour_usd = 0.04
gib_hour_usd = 0.005
"""
LEAST = f"""
default = "here"
[energy]
usd_per_kwh = 0.2
assumption = "our bill"
{ROW}"""


def written(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text)
    return path


def test_the_tracked_sheet_says_where_each_price_comes_from() -> None:
    sheet = read_prices()
    assert sheet.default in sheet.price
    assert {row.cloud for row in sheet.price.values()} == {"AWS", "Google Cloud", "Azure"}
    for row in sheet.price.values():
        assert row.source.scheme == "https"
        assert row.as_of.year >= 2025
        assert (row.gpu is None) == (row.gpu_hour_usd is None)
        assert row.vcpu_hour_usd + row.gib_hour_usd + (row.gpu_hour_usd or 0) > 0


def test_another_row_can_make_the_headline(tmp_path: Path) -> None:
    second = ROW.replace("price.here", "price.there").replace("0.04", "0.08")
    path = written(tmp_path, LEAST + second)
    assert read_prices(path).chosen.vcpu_hour_usd == 0.04
    assert read_prices(path, "there").chosen.vcpu_hour_usd == 0.08


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LEAST.replace("0.04\n", '"dear"\n'), ("price.here.vcpu_hour_usd = 'dear'", "one vCPU")),
        (LEAST.replace("0.04\n", "-1\n"), ("price.here.vcpu_hour_usd = -1", "greater than")),
        (LEAST.replace("0.04\n", "nan\n"), ("price.here.vcpu_hour_usd = nan", "finite")),
        (LEAST.replace("vcpu_hour", "vcpu_our"), ("'price.here.vcpu_our_usd'", "'vcpu_hour_usd'")),
        (LEAST.replace("as_of = 2026-11-22", ""), ("'price.here.as_of' is missing", "the day")),
        (LEAST.replace("usd_per_kwh = 0.2", ""), ("'energy.usd_per_kwh' is missing",)),
        (LEAST.replace('"https', '"here: https'), ("price.here.source", "the public price list")),
        (LEAST.replace('default = "here"', 'default = "hree"'), ("did you mean 'here'?",)),
        (LEAST.replace(ROW, "[price]\n"), ("price = {}", "one section [price.NAME] or more")),
        ("default = ", ("is not TOML",)),
    ],
)
def test_a_mistake_names_file_key_value_and_meaning(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PriceError) as caught:
        read_prices(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_a_sheet_that_is_not_there_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(PriceError, match=r"no\.toml: cannot be read.*--prices"):
        read_prices(tmp_path / "no.toml")


def test_a_row_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(PriceError, match=r"--price = 'aws-fargat': .*did you mean 'aws-fargate'"):
        read_prices(DEFAULT_FILE, "aws-fargat")


def test_the_sheet_in_the_docs_can_be_used(tmp_path: Path) -> None:
    page = (DEFAULT_FILE.parents[1] / "docs/costs.md").read_text()
    sheet = page.split("```toml\n", maxsplit=1)[1].split("```", maxsplit=1)[0]
    assert read_prices(written(tmp_path, sheet)).chosen.vcpu_hour_usd == 0.011
