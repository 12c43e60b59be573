"""One page of the handbook, in words: what an indicator means, where it comes from, how it is worked out.

The same entry is shown on `/data`, written into the documents and printed by `cockpit indicators show`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from callbacks.language import Language
from metrics.model import Atom, Catalogue, Example, Indicator
from metrics.readable import statement
from metrics.rule_rows import CONFIRMED
from warehouse.base.periods import Period, month_label
from warehouse.contracts import Contract

DOUBTFUL = ("R", "K")
"""Evidence that is only recalled: what is judged by it is to be verified."""


@dataclass(frozen=True)
class Part:
    """One heading with sentences, then a table (headers first) and a text kept as it is typed."""

    key: str
    title: str
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Entry:
    """A page of the handbook in one language."""

    id: str
    title: str
    unit: str
    parts: tuple[Part, ...]


def entry(indicator: Indicator, catalogue: Catalogue, contracts: Mapping[str, Contract], words: Language) -> Entry:
    """Return the page of one indicator."""
    one = _Writer(indicator, catalogue, contracts, words)
    parts = (*one.meaning(), *one.nature(), *one.origin(), *one.past(), *one.worked(), *one.rest(), one.statement())
    return Entry(indicator.id, indicator.title[words.code], words.unit(indicator.unit), parts)


@dataclass(frozen=True)
class _Writer:
    indicator: Indicator
    catalogue: Catalogue
    contracts: Mapping[str, Contract]
    words: Language

    def part(self, key: str, *lines: str, table: Sequence[tuple[str, ...]] = (), code: str = "") -> Part:
        return Part(key, self.words.say(f"entry.{key}"), lines, tuple(table), code)

    def joined(self, items: Iterable[str]) -> str:
        return self.words.say("list.joint").join(items)

    def sentence(self, text: str) -> str:
        """Return a text with its full stop."""
        stop = "。" if self.words.code == "zh" else "."
        return text if text.endswith(("。", ".", "！", "？")) else text + stop

    def meaning(self) -> Iterator[Part]:
        yield self.part("meaning", self.sentence(self.indicator.text[self.words.code]))
        yield self.part("formula", code=_scaled(self.indicator))

    def nature(self) -> Iterator[Part]:
        words, item = self.words, self.indicator
        yield self.part("unit", words.unit(item.unit))
        yield self.part("better", words.say(f"better.{item.better}"))
        yield self.part("kind", words.say(f"entry.kind.{item.kind}"))
        yield self.part("scope", words.say("entry.scope.theme", theme=words.say(f"theme.{item.theme}")))
        names = [words.say(f"dim.{dim}") if words.has(f"dim.{dim}") else dim for dim in item.dims]
        told = words.say("entry.dims.told", dims=self.joined(names)) if names else words.say("entry.dims.none")
        yield self.part("dims", told)

    def origin(self) -> Iterator[Part]:
        words, item = self.words, self.indicator
        evidence = words.say(f"value.evidence.{item.evidence}")
        basis = item.basis[words.code].rstrip("。.")
        lines = [words.say("entry.basis.told", basis=basis, tag=item.evidence, evidence=evidence)]
        doubt = [words.say("entry.basis.doubt")] if item.evidence in DOUBTFUL else []
        yield self.part("basis", *lines, *doubt)
        heads = tuple(words.say(f"entry.column.{key}") for key in ("atom", "kind", "unit", "sources"))
        yield self.part("reads", table=[heads, *(self._read(self.catalogue.atoms[name]) for name in item.atoms)])
        if tables := self._tables():
            yield self.part("tables", *tables)

    def _read(self, atom: Atom) -> tuple[str, ...]:
        words = self.words
        kind = words.say(f"entry.reads.{atom.over_time}")
        named = dict.fromkeys(
            self.contracts[self.catalogue.sources[s].of].title[words.code] for s in self._sources(atom)
        )
        shown = self.joined([kind, words.say("entry.reads.leaf")]) if atom.is_leaf else kind
        return (atom.name, shown, words.unit(atom.unit), self.joined(named))

    def _sources(self, atom: Atom) -> tuple[str, ...]:
        below = (s for name in atom.operands for s in self._sources(self.catalogue.atoms[name]))
        return tuple(dict.fromkeys([*(part.of for part in atom.parts), *below]))

    def _tables(self) -> list[str]:
        """Return the tables of standards the figures are worked out by; what a source could look up is not enough."""
        text, found = statement(self.indicator, self.catalogue, self.contracts), []
        looked_up = (one.table for name in self.indicator.sources for one in self.catalogue.sources[name].lookups)
        for name in dict.fromkeys(table for table in looked_up if f"JOIN {table} ON " in text):
            marks = _marks(name)
            key = "entry.tables.told" if marks else "entry.tables.own"
            title = self.contracts[name].title[self.words.code]
            found.append(self.words.say(key, title=title, name=name, evidence=self.joined(marks)))
        return found

    def past(self) -> Iterator[Part]:
        words, item = self.words, self.indicator
        if not item.earlier:
            since = [words.say("entry.history.since", **{"from": item.since})] if item.since else []
            yield self.part("history", *(since or [words.say("entry.history.none")]))
            return
        lines = [
            words.say(
                "entry.history.was",
                **{"from": month_label(v.from_m) if v.from_m else words.say("entry.history.start")},
                to=month_label(v.to_m - 1), value=v.written, unit=words.unit(v.indicator.unit),
                basis=v.indicator.basis[words.code],
            )
            for v in item.earlier
        ]  # fmt: skip
        begun = month_label(item.earlier[-1].to_m)
        yield self.part("history", *lines, words.say("entry.history.now", **{"from": begun}))

    def worked(self) -> Iterator[Part]:
        example = self.indicator.example
        if example is None:
            return
        words = self.words
        period = words.period(Period.parse(example.period).label, example.grain)
        value = f"{example.expect} {words.unit(self.indicator.unit)}".removesuffix(" 1").replace(" %", "%")
        has_sides = example.numerator is not None and example.denominator is not None
        told = words.say("entry.example.sides" if has_sides else "entry.example.told", period=period, value=value,
                         numerator=example.numerator, denominator=example.denominator)  # fmt: skip
        yield self.part("example", told, table=self._figures(example))

    def _figures(self, example: Example) -> list[tuple[str, ...]]:
        """Return the month figures an example starts from."""
        given = [(name, figures) for name, figures in example.atoms.items()]
        given += [
            (self.words.say("entry.example.of_part", atom=name, part=part), figures)
            for name, each in example.parts.items()
            for part, figures in each.items()
        ]
        given += [(self.words.say("entry.example.of_parent", atom=name), held) for name, held in example.parent.items()]
        months = sorted({month for _, figures in given for month in figures})
        rows = [
            (name, *(f"{figures[month].normalize():f}" if month in figures else "" for month in months))
            for name, figures in given
        ]
        return [(self.words.say("entry.column.atom"), *months), *rows]

    def rest(self) -> Iterator[Part]:
        words, item = self.words, self.indicator
        for form in item.forms:
            caliber = words.say(f"entry.caliber.{form.caliber}")
            grains = self.joined(words.say(f"grain.{g}") for g in form.grains) or words.say("entry.form.all")
            told = words.say("entry.form.told", meaning=form.text[words.code].rstrip("。."), value=_scaled(form),
                             basis=form.basis[words.code].rstrip("。."), tag=form.evidence, grains=grains)  # fmt: skip
            yield Part(f"form {form.caliber}", words.say("entry.form", caliber=caliber), (told,))
        if item.hint is not None:
            key = "entry.hint.told" if item.evidence in CONFIRMED else "entry.hint.to_verify"
            yield self.part("hint", words.say(key, hint=item.hint[words.code].rstrip("。.")))
        yield self.part("owner", item.owner or words.say("entry.owner.none"))
        known = self.catalogue.indicators
        beside = [known[f"{item.id}_{tail}"] for tail in ("yoy", "same", "rank", "pct") if f"{item.id}_{tail}" in known]
        if beside:
            ids = (words.say("entry.beside.told", id=b.id, title=b.title[words.code]) for b in beside)
            yield self.part("beside", self.joined(ids))

    def statement(self) -> Part:
        return self.part("statement", self.words.say("entry.statement.why", id=self.indicator.id),
                         code=statement(self.indicator, self.catalogue, self.contracts))  # fmt: skip


def _scaled(indicator: Indicator) -> str:
    """Return the formula with the power of ten that leads to the declared unit."""
    if not indicator.scale:
        return indicator.value
    value = f"({indicator.value})" if " " in indicator.value else indicator.value
    return f"{value} * 1e{indicator.scale}"


@cache
def _marks(table: str) -> tuple[str, ...]:
    """Return the evidence tags of the rows that come along with a table of standards."""
    file = resources.files("warehouse") / "reference" / f"{table}.csv"
    if not file.is_file():
        return ()
    with file.open(encoding="utf-8") as lines:
        return tuple(sorted({row["evidence"] for row in csv.DictReader(lines) if row.get("evidence")}))
