"""Mutants of the writing half: steps, perform, attributes, ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from syncd.connectors.base import granted
from syncd.connectors.http import Request
from syncd.connectors.memory import MemoryConnector
from syncd.connectors.tables import Call
from syncd.connectors.twilio import TwilioConnector
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.model import Account, AttributeSpec, Change, Gone, Kind, Ref, Step, Unknown
from tests.conformance.mutants import caught_by


class Asking(MemoryConnector):
    """Its steps ask for something else."""

    def steps(self, change: Change) -> tuple[Step, ...]:
        return super().steps(replace(change, delta=self.bent(change)))

    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return change.delta


class Specified(MemoryConnector):
    """It declares its attributes otherwise."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        bent = {name: self.bent(spec) for name, spec in self.capability.attributes.items()}
        self.capability = replace(self.capability, attributes=bent)

    def bent(self, spec: AttributeSpec) -> AttributeSpec:
        return spec


@caught_by("steps_ask_nobody")
class AsksFirst(MemoryConnector):
    def steps(self, change: Change) -> tuple[Step, ...]:
        self.meter.requests += 1
        return super().steps(change)


@caught_by("steps_ask_nobody")
class Gossiping(MemoryConnector):
    def steps(self, change: Change) -> tuple[Step, ...]:
        return tuple(replace(one, summary=f"{one.method} {one.body}") for one in super().steps(change))


@caught_by("steps_ask_nobody")
class NeverCreates(MemoryConnector):
    def steps(self, change: Change) -> tuple[Step, ...]:
        return tuple(replace(one, creates=False) for one in super().steps(change))


@caught_by("what_changes_nothing_has_no_steps")
class AlwaysWrites(MemoryConnector):
    def steps(self, change: Change) -> tuple[Step, ...]:
        return super().steps(change) or (Step(change, 1, "update", "/accounts", {}, summary="touch"),)


@caught_by("what_has_no_place_is_rejected")
class IgnoresTheUnknown(Asking):
    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return {path: values for path, values in change.delta.items() if self.capability.spec(path)}


def echo(step: Step, answer: Account | None) -> Account | None:
    return None if answer is None else replace(answer, attributes={**answer.attributes, **step.body})


@caught_by("the_answer_is_the_providers")
class Echo(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        return echo(step, await super().perform(step))


@caught_by("the_answer_is_of_now")
class OldNews(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        answer = await super().perform(step)
        known = step.change.document
        return (
            answer if answer is None or known is None else echo(step, replace(answer, attributes={"title": None, "email": None, **known}))
        )


@caught_by("a_refused_create_made_nobody")
class DoubtsRefusals(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        try:
            return await super().perform(step)
        except Rejected as error:
            raise InDoubt(str(error)) from error


@caught_by("a_refused_update_changed_nothing")
@caught_by("a_refused_delete_deleted_nobody")
class TakesNoForYes(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        try:
            return await super().perform(step)
        except (Rejected, Quarantined):
            return None


@caught_by("a_create_without_an_answer_is_found_again")
@caught_by("a_create_that_was_not_done_is_not_found")
class TriesAgain(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        try:
            return await super().perform(step)
        except InDoubt as error:
            raise Retryable(str(error)) from error


@caught_by("a_create_without_an_answer_is_found_again")
class SendsAgain(TwilioConnector):
    async def perform(self, step: Step) -> Account | None:
        try:
            return await super().perform(step)
        except InDoubt:
            body = {**step.body, "identity": f"{step.body['identity']}-2"} if step.creates else step.body
            return await super().perform(replace(step, body=body))


@caught_by("the_wait_for_a_turn_doubles_nobody")
class DoneAndDenied(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        try:
            return await super().perform(step)
        except Retryable:
            self.directory.calm()
            await super().perform(step)
            raise


@caught_by("an_update_sent_twice_is_one")
class Appending(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        if step.change.kind is Kind.UPDATE:
            before = self.directory.accounts[step.change.account or ""]
            step = replace(step, body={path: f"{before.get(path) or ''}{value}" for path, value in step.body.items()})
        return await super().perform(step)


@caught_by("a_delete_sent_twice_is_one")
@caught_by("a_delete_without_an_answer_is_one")
class DeletesOnce(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        if step.change.kind is Kind.DELETE and step.change.account not in self.directory.accounts:
            raise Rejected("no such account", "missing")
        return await super().perform(step)


@caught_by("members_of_others_stay")
class Overwriting(MemoryConnector):
    """Merges into the document as planned, not as it is."""

    async def perform(self, step: Step) -> Account | None:
        if step.change.document is not None and any(path.startswith("meta.") for path in step.body or ()):
            self.directory.accounts[step.change.account or ""]["meta"] = {**(step.change.document.get("meta") or {})}
        return await super().perform(step)


@caught_by("an_object_can_be_begun")
class Flat(Asking):
    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return {path.replace("first.inner", "first_inner"): values for path, values in change.delta.items()}


@caught_by("without_a_permit_nothing_is_written")
class Unbidden(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        permit, self.permit = self.permit, granted
        try:
            return await super().perform(step)
        finally:
            self.permit = permit


@caught_by("each_attempt_has_a_permit")
class AskedOnce(TwilioConnector):
    async def perform(self, step: Step) -> Account | None:
        self.permit()
        permit, self.permit = self.permit, granted
        try:
            return await super().perform(step)
        finally:
            self.permit = permit


@caught_by("a_reader_writes_nothing")
class OpenDoor(MemoryConnector):
    async def perform(self, step: Step) -> Account | None:
        self._writable = True
        return await super().perform(step)


@caught_by("a_normal_form_is_its_own")
class NeverSettles(Specified):
    def bent(self, spec: AttributeSpec) -> AttributeSpec:
        return replace(spec, normalize=lambda value: f"{value}." if isinstance(value, str) and value else value)


@caught_by("what_an_update_sets_reads_back")
class NeverClears(Asking):
    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return {path: values for path, values in change.delta.items() if values[1] is not None}


@caught_by("what_an_update_sets_reads_back")
class AnotherNormalForm(Specified):
    """Declares lower case where the provider keeps what it is told, and reads that back as its own."""

    def bent(self, spec: AttributeSpec) -> AttributeSpec:
        return replace(spec, normalize=lambda value: None) if spec.name == "labels" else spec

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        found = await super().fetch(ref)
        title = found.attributes.get("title") if isinstance(found, Account) else None
        return (
            replace(found, attributes={**found.attributes, "title": str(title).upper()}) if isinstance(found, Account) and title else found
        )


@caught_by("what_a_create_sets_reads_back")
class CreatesBare(Asking):
    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return {path: values for path, values in change.delta.items() if change.kind is not Kind.CREATE or path != "title"}


@caught_by("what_cannot_be_changed_is_rejected")
@caught_by("what_is_read_only_is_rejected")
class IgnoresTheFixed(Asking):
    """Lies about mutability: says yes, and does nothing."""

    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        fixed = {"id", *(["userName"] if change.kind is Kind.UPDATE else [])}
        return {path: values for path, values in change.delta.items() if path not in fixed}


@caught_by("nothing_is_cut")
@caught_by("a_key_over_its_limit_makes_nobody")
class Cutting(Asking):
    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return {path: (before, after[:256] if isinstance(after, str) else after) for path, (before, after) in change.delta.items()}


@caught_by("switch_goes_both_ways")
class OneWay(Asking):
    def bent(self, change: Change) -> Mapping[str, tuple[Any, Any]]:
        return {path: (before, False if path == "active" else after) for path, (before, after) in change.delta.items()}


@caught_by("an_id_leads_to_no_other_place")
class Unencoded(TwilioConnector):
    def _request(self, call: Call, slots: Mapping[str, str], values: Mapping[str, Any], target: str | None = None) -> Request:
        request = super()._request(call, slots, values, target)
        raw = self._http.root.path + call.path.format_map({name: quote(value, safe="/?#%&=+;:") for name, value in slots.items()})
        return replace(request, target=raw) if slots else request


@caught_by("a_written_id_leads_to_no_other_place")
class UnencodedSteps(MemoryConnector):
    def steps(self, change: Change) -> tuple[Step, ...]:
        return tuple(replace(one, path=f"/accounts/{change.account}") for one in super().steps(change))


@caught_by("an_id_that_cannot_stand_in_a_path_is_refused")
class AnythingGoes(MemoryConnector):
    def steps(self, change: Change) -> tuple[Step, ...]:
        return (Step(change, 1, str(change.kind), f"/accounts/{change.account}", {}, summary="x"),)
