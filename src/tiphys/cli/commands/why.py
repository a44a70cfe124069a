"""`tiphys why can USER VERB RESOURCE`: who let them, or what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import click

from tiphys.auth.rbac.coverage import described
from tiphys.auth.rbac.grant import Grant
from tiphys.auth.rbac.known_policy import RoleKey
from tiphys.base.user import MASTERS
from tiphys.cli import options
from tiphys.cli.output import show
from tiphys.cluster.access_question import Answer, Question, ask
from tiphys.cluster.settings import from_document


@click.command()
@click.argument("can", type=click.Choice(["can"]))
@click.argument("user")
@click.argument("verb")
@click.argument("what", metavar="RESOURCE[/NAME] | /URL")
@click.option("--as-group", "groups", multiple=True, metavar="GROUP", help="A group the user is in; may be repeated.")
@click.option("--namespace", "-n", default="default", show_default=True, help="Namespace of the objects.")
@click.option("--all-namespaces", "-A", is_flag=True, help="In all namespaces at once.")
@click.option("--subresource", default="", help="A subresource, such as log or scale.")
@options.name
@options.state_dir
@options.output
def why(
    can: str, user: str, verb: str, what: str, groups: tuple[str, ...], namespace: str, all_namespaces: bool,
    subresource: str, name: str, state_dir: str | None, output: str,
) -> None:  # fmt: skip
    """Say whether USER may do VERB, and which binding and rule decide it, or what is missing.

    The exit code is 0 if they may, 1 if not.

        tiphys why can erp-user1 delete pods -n erp
    """
    directory = options.existing(state_dir, name)
    question = Question(user, verb, what, groups, "" if all_namespaces else namespace, subresource)
    answer = asyncio.run(ask(directory, from_document(directory.saved()), question))
    if output == "json":
        show(_document(answer))
    else:
        for line in lines(answer):
            click.echo(line)
    raise SystemExit(0 if answer.allowed else 1)


def lines(answer: Answer) -> Iterator[str]:
    """The answer in words."""
    yield f"{'Yes' if answer.allowed else 'No'}: {_sentence(answer)}"
    told = answer.explanation
    if answer.allowed and MASTERS in answer.user.groups:
        yield f"  the group {MASTERS} may do everything"
    elif answer.allowed and not told.deciding and answer.reason:
        yield f"  {answer.reason}"
    yield from _grants("", told.deciding, answer)
    if answer.allowed:
        return
    for text in told.missing:
        yield f"  a binding of theirs leads nowhere: {text}"
    yield from _grants("for other verbs: ", told.verbs, answer)
    yield from _grants("for other names: ", told.names, answer)
    yield from _grants("elsewhere: ", told.elsewhere, answer)
    yield from _remedies(answer)


def _sentence(answer: Answer) -> str:
    info, may = answer.info, "may" if answer.allowed else "may not"
    who = f"{answer.user.name} {may} {info.verb}"
    if not info.is_resource:
        return f"{who} {info.path}"
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    resource += f".{info.group}" if info.group else ""
    named = f" {info.name}" if info.name else ""
    return f"{who} {resource}{named} " + (
        f"in namespace {info.namespace}" if info.namespace else "at the cluster scope"
    )


def _grants(before: str, grants: Sequence[Grant], answer: Answer) -> Iterator[str]:
    for grant in grants:
        yield f"  {before}{grant.described(answer.user)}"
        yield f"    rule {_number(grant, answer)}: {described(grant.rule.document)}"


def _number(grant: Grant, answer: Answer) -> int:
    """Which rule of its role it is, counted from 1."""
    rules = answer.policy.role(grant.binding.role_key) or ()
    return next((number for number, rule in enumerate(rules, 1) if rule is grant.rule), 0)


def _remedies(answer: Answer) -> Iterator[str]:
    roles = answer.explanation.roles
    if not roles:
        yield "  no role there is would allow it"
        return
    yield f"  would be allowed by: {', '.join(map(_role, roles))}"
    yield f"  for example: {_command(answer, roles[0])}"


def _role(key: RoleKey) -> str:
    return f"Role {key[0]}/{key[1]}" if key[0] else f"ClusterRole {key[1]}"


def _command(answer: Answer, role: RoleKey) -> str:
    user, info = answer.user.name, answer.info
    account = user.removeprefix("system:serviceaccount:")
    subject = f"--user={user}" if account == user else f"--serviceaccount={account}"
    kind = "role" if role[0] else "clusterrole"
    name = f"{account.replace(':', '-')}-{role[1].replace(':', '-')}"
    if info.is_resource and info.namespace:
        return f"kubectl create rolebinding {name} --{kind}={role[1]} {subject} -n {info.namespace}"
    return f"kubectl create clusterrolebinding {name} --clusterrole={role[1]} {subject}"


def _document(answer: Answer) -> dict[str, Any]:
    told = answer.explanation

    def grants(found: Sequence[Grant]) -> list[dict[str, Any]]:
        return [{"grant": grant.described(answer.user), "rule": grant.rule.document} for grant in found]

    return {
        "allowed": answer.allowed,
        "reason": answer.reason,
        "user": answer.user.name,
        "groups": list(answer.user.groups),
        "decidedBy": grants(told.deciding),
        "forOtherVerbs": grants(told.verbs),
        "forOtherNames": grants(told.names),
        "elsewhere": grants(told.elsewhere),
        "wouldBeAllowedBy": [_role(key) for key in told.roles],
        "missing": list(told.missing),
    }


COMMAND = why
