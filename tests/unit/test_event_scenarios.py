"""How events are written, and how their mistakes are named."""

import pytest

from harness.events.moments import moments_of, undoing
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
        (
            'to = "database"\nat = 0.5',
            "events.0.body is no fault; a part with a URL can have delay",
        ),
        (
            'to = "features"\nat = 0.5\nbody = { delay = 1 }',
            r"events.0.body cannot have 'delay' \(did you mean 'delay_s'\?\); a part with a URL",
        ),
        (
            'to = "features"\nat = 0.5\nbody = { lock = true, freeze = true }',
            "events.0.body cannot have 'freeze'; .* SQLite's file can have lock, and that alone",
        ),
        (
            'to = "database"\nat = 0.5\nbody = { delay_s = -1 }',
            "events.0.body has delay_s = -1: input should be greater than or equal to 0",
        ),
        (
            'to = "database"\nat = 0.5\nbody = { lock = true }\nuntil = 0.6\nthen = { lock = 0 }',
            "events.0.then has lock = 0: input should be a valid boolean",
        ),
        (
            'to = "database"\nat = 0.5\nbody = { lock = true }\nthen = { lock = false }',
            "events.0.then is never sent without `until`",
        ),
        ("at = 0.5", "'events.0.to' is missing; meant is \"sut\""),
    ],
)
def test_a_mistake_is_named_in_words(event: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        parse_scenario(parsed(event), "eventful.toml")


def test_what_is_for_suts_of_ours_is_not_asked_of_a_running_service() -> None:
    with pytest.raises(ScenarioError, match="needs SUTs of ours, and remote:there is none"):
        parse_scenario(parsed('to = "sut"\naction = "x"\nat = 0', "remote:there"), "e.toml")
    fault = 'to = "database"\nat = 0\nbody = { lock = true }'
    with pytest.raises(ScenarioError, match="to = 'database' needs SUTs of ours"):
        parse_scenario(parsed(fault, "remote:there"), "e.toml")
    parse_scenario(parsed('to = "/v1/feedback"\nat = 0', "remote:there"), "e.toml")


def test_the_stub_must_be_there() -> None:
    text = parsed('to = "moderation"\nat = 0').replace("moderation = { error_ratio = 0.5 }", "")
    with pytest.raises(ScenarioError, match=r"set backends\.moderation"):
        parse_scenario(text, "eventful.toml")


def test_a_fault_ends_by_itself_at_its_end_and_is_undone_after_the_trial() -> None:
    text = parsed('to = "database"\nat = 0.5\nuntil = 0.75\nbody = { lock = true }')
    text += '\n[[events]]\nat_s = 7\nto = "features"\nbody = { freeze = true }'
    due = moments_of(parse_scenario(text, "eventful.toml"))
    assert [(m.to, m.ends, m.body) for m in due] == [
        ("database", False, {"lock": True}),
        ("database", True, None),
        ("features", False, {"freeze": True}),
    ]
    assert [(m.to, m.ends, m.body) for m in undoing(due)] == [
        ("database", True, None),
        ("features", True, None),
    ]


def test_moments_stand_in_time_and_an_end_without_a_body_restores() -> None:
    text = parsed('to = "moderation"\nat = 0.5\nuntil = 0.75\nbody = { down = true }')
    text += '\n[[events]]\nat_s = 5\nto = "sut"\naction = "look"'
    due = moments_of(parse_scenario(text, "eventful.toml"))
    assert [(m.event, m.ends, m.after_ns, m.body) for m in due] == [
        (0, False, 4 * 10**9, {"down": True}),
        (1, False, 5 * 10**9, {}),
        (0, True, 6 * 10**9, None),
    ]
