"""The scan for secrets: what it finds, where, and what it leaves alone."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
import string
from pathlib import Path

import pytest

from embedsearch.privacy import Secret, scan
from embedsearch.privacy.rules import LEFT_OUT, rules
from embedsearch.privacy.scanning import _candidates

DOCS = Path(__file__).parents[1] / "examples" / "wikipedia"
ALPHANUMERIC = string.ascii_letters + string.digits


def made(n: int, alphabet: str = ALPHANUMERIC) -> str:
    """Make up what a secret is made of, so that no file here holds one."""
    rng = random.Random(n)
    return "".join(rng.choice(alphabet) for _ in range(n))


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{made(300)}\n-----END RSA PRIVATE KEY-----"
JWT = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded({'sub': made(12)})}.{made(43)}"

SECRETS = {
    "anthropic-api-key": f"sk-ant-api03-{made(93)}AA",
    "aws-access-token": f"AKIA{made(16, string.ascii_uppercase + '234567')}",
    "gcp-api-key": f"AIza{made(35)}",
    "github-fine-grained-pat": f"github_pat_{made(82)}",
    "github-pat": f"ghp_{made(36)}",
    "gitlab-pat": f"glpat-{made(20)}",
    "huggingface-access-token": f"hf_{made(34, string.ascii_letters)}",
    "jwt": JWT,
    "npm-access-token": f"npm_{made(36, string.ascii_lowercase + string.digits)}",
    "openai-api-key": f"sk-proj-{made(74)}T3BlbkFJ{made(74)}",
    "private-key": PEM,
    "sendgrid-api-token": f"SG.{made(66)}",
    "slack-bot-token": f"xoxb-{made(12, string.digits)}-{made(12, string.digits)}-{made(24)}",
    "stripe-access-token": f"sk_live_{made(24)}",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_on_its_line(kind: str) -> None:
    text = f"Notes on the deployment.\n\nUse this one: {SECRETS[kind]}\nand ask Ada.\n"
    assert scan(text) == [Secret(3, kind)]


def test_several_secrets_are_told_in_the_order_of_their_lines() -> None:
    aws, github = SECRETS["aws-access-token"], SECRETS["github-pat"]
    text = f"{github}\n{aws}\n{aws} {github}\n"
    assert scan(text) == [
        Secret(1, "github-pat"),
        Secret(2, "aws-access-token"),
        Secret(3, "aws-access-token"),
        Secret(3, "github-pat"),
    ]


def test_the_secret_itself_is_not_kept() -> None:
    (secret,) = scan(SECRETS["aws-access-token"])
    assert dataclasses.asdict(secret) == {"line": 1, "kind": "aws-access-token"}
    assert SECRETS["aws-access-token"] not in repr(secret)


def test_a_rule_for_some_files_only_is_used_for_them() -> None:
    text = 'administrator_login_password = "correct-horse-7"\n'
    assert scan(text) == []
    assert scan(text, path="notes.txt") == []
    assert scan(text, path="infra/main.tf") == [Secret(1, "hashicorp-tf-password")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The password is the key to the secret; the token grants access to the API.",
        f"AWS's own example is AKIA{'IOSFODNN7'}EXAMPLE.",
        f"export HF_TOKEN=hf_{'x' * 34}",
        "OPENAI_API_KEY=sk-...",
        "client_secret: ${CLIENT_SECRET}",
        "sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTAN\n-----END CERTIFICATE-----",
    ],
)
def test_prose_placeholders_and_hashes_are_left_alone(text: str) -> None:
    assert scan(text) == []


def test_the_example_documents_hold_no_secret() -> None:
    for path in DOCS.rglob("*.*"):
        assert scan(path.read_text(encoding="utf-8"), path=str(path)) == [], path


def test_no_keyword_hides_a_rule() -> None:
    for rule in rules():
        for keyword in rule.keywords:
            assert rule in _candidates(f"a{keyword}{keyword}"), (rule.kind, keyword)


def test_every_rule_compiles() -> None:
    assert len(rules()) == 218
    assert not LEFT_OUT & {rule.kind for rule in rules()}
    for rule in rules():
        assert rule.pattern.search("") is None
        assert rule.reads("a.txt") == (rule.path is None)
        assert all(pattern for allowed in rule.allowed for pattern in allowed._compiled)
