"""How events are written, and how their mistakes are named."""

import pytest

from harness.events.moments import moments_of
from harness.scenario_file import ScenarioError, parse_scenario

SCENARIO = """
name = "eventful"
suts = ["SUT"]
[load]
rates = [1]
steady_s = 8
[backends]
moderation = { error_ratio = 0.5 }
[remote.there]
url = "http://127.0.0.1:1"
[[events]]
"""


def parsed(event: str, sut: str = "monolith") -> str:
    return SCENARIO.replace("SUT", sut) + event


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ('to = "sut"\naction = "x"', "events.0 needs a time, and one only"),
        ('to = "sut"\naction = "x"\nat = 0\nat_s = 0', "events.0 needs a time, and one only"),
        ('to = "sut"\naction = "x"\nat_s = 9', "events.0.at_s = 9.0 is beyond load.steady_s = 8"),
        ('to = "sut"\naction = "x"\nat = 1.5', "events.0.at = 1.5: input should be less than"),
        ('to = "sut"\nat = 0.5', "events.0 asks the admin API for nothing"),
        ('to = "you"\nat = 0.5', "events.0.to = 'you': .* a path of the SUT"),
        ('to = "moderation"\nat = 0.5\nuntil = 0.5', "events.0.until = 0.5 is not after"),
        ('to = "moderation"\nat = 0.5\nthen = {}', "events.0.then is never sent without `until`"),
        ('to = "/v1/x"\nat = 0.5\nuntil = 1.0', "events.0.until sends nothing to '/v1/x'"),
        ('to = "harness"\nat = 0.5\naction = "reboot"', 'the harness can "redeploy" and nothing'),
        ('to = "sut"\nat = 0.5\nwhen = 1', "there is no key 'events.0.when'.*knows at, at_s, to"),
        ("at = 0.5", "'events.0.to' is missing; meant is \"sut\""),
    ],
)
def test_a_mistake_is_named_in_words(event: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        parse_scenario(parsed(event), "eventful.toml")


def test_what_is_for_suts_of_ours_is_not_asked_of_a_running_service() -> None:
    with pytest.raises(ScenarioError, match="needs SUTs of ours, and remote:there is none"):
        parse_scenario(parsed('to = "sut"\naction = "x"\nat = 0', "remote:there"), "e.toml")
    parse_scenario(parsed('to = "/v1/feedback"\nat = 0', "remote:there"), "e.toml")


def test_the_stub_must_be_there() -> None:
    text = parsed('to = "moderation"\nat = 0').replace("moderation = { error_ratio = 0.5 }", "")
    with pytest.raises(ScenarioError, match=r"set backends\.moderation"):
        parse_scenario(text, "eventful.toml")


def test_moments_stand_in_time_and_an_end_without_a_body_restores() -> None:
    text = parsed('to = "moderation"\nat = 0.5\nuntil = 0.75\nbody = { down = true }')
    text += '\n[[events]]\nat_s = 5\nto = "sut"\naction = "look"'
    due = moments_of(parse_scenario(text, "eventful.toml"))
    assert [(m.event, m.ends, m.after_ns, m.body) for m in due] == [
        (0, False, 4 * 10**9, {"down": True}),
        (1, False, 5 * 10**9, {}),
        (0, True, 6 * 10**9, None),
    ]
