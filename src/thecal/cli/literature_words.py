"""What ``thecal literature`` prints: for people in lines, for machines as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import typer

from thecal.registry.literature.library import WHAT_WORDS, CaseValue, Incidence, PublishedCase, Source
from thecal.registry.pooling.outputs import p_words, pool_json
from thecal.registry.pooling.pool import Pooled
from thecal.terms import RESEARCH_USE


def print_case(case: PublishedCase, as_json: bool) -> None:
    """All that is stored of one case."""
    if as_json:
        typer.echo(json.dumps(case_json(case), indent=2, ensure_ascii=False))
        return
    typer.echo(RESEARCH_USE)
    typer.echo(f"{case.name}: {case.source.title}")
    place = f"{case.source.journal} {case.source.year}"
    typer.echo(f"  {place}; {case.source.link or 'no identifier is known here'}")
    if case.note:
        typer.echo(f"  {case.note}.")
    for value in case.values:
        print_value(value)


def print_cases(cases: list[PublishedCase], as_json: bool) -> None:
    """Cases, one a line, with their conflicts."""
    from thecal.registry.similar.entries import published_entries

    if as_json:
        typer.echo(json.dumps([case_json(case) for case in cases], indent=2, ensure_ascii=False))
        return
    typer.echo(RESEARCH_USE)
    entries = {entry.name: entry for entry in published_entries()}
    for case in cases:
        told = entries[case.name].account
        typer.echo(f"{case.name}: {told.who}. {told.done}. {told.became}.")
        for conflict in case.conflicts:
            typer.echo(f"    conflict: {conflict}")
    typer.echo(f"{len(cases)} of {len(entries)} published cases.")


def print_studies(rows: list[Incidence], as_json: bool) -> None:
    """Rows of studies, one a line."""
    if as_json:
        typer.echo(json.dumps([_row_json(row) for row in rows], indent=2, ensure_ascii=False))
        return
    typer.echo(RESEARCH_USE)
    for row in rows:
        counts = row.counts
        share = "" if counts is None else f"{counts[0]}/{counts[1]} = {100 * counts[0] / counts[1]:.1f} %, "
        typer.echo(
            f"{row.name} [{row.certainty}]: {WHAT_WORDS[row.what]} ({row.measure}), {row.procedure}, "
            f"{row.modality}, {row.population}; {share}counted: {row.counted}; printed: “{row.printed}”"
        )
        if row.note:
            typer.echo(f"    {row.note}")
        if row.conflict:
            typer.echo(f"    conflict: {row.conflict}")
    typer.echo(f"{len(rows)} rows.")


def print_value(value: CaseValue) -> None:
    """One value: as printed, as understood, and who says so."""
    where = " ".join(word for word in (value.side, value.muscle) if word)
    what = (
        value.field.replace("_", " ")
        + (f", {where}" if where else "")
        + (f", {value.when}" if value.when else "")
    )
    understood = "" if value.understood is None else f" = {value.understood} {value.unit or ''}".rstrip()
    typer.echo(
        f"  {what}: “{value.as_printed}”{understood} [{value.certainty}] {value.source.name}, {value.where}"
    )
    if value.inferred:
        typer.echo("      inferred here: the words do not say it themselves")
    if value.conflict:
        typer.echo(f"      conflict: {value.conflict}")


def print_pooled(pooled: Pooled, as_json: bool) -> None:
    """The pooled rate with all that speaks against it."""
    if as_json:
        typer.echo(json.dumps(pool_json(pooled), indent=2, ensure_ascii=False))
        return
    typer.echo(RESEARCH_USE)
    typer.echo(f"{pooled.question.words}:")
    width = max(len(study.row.name) for study in pooled.studies)
    for study in pooled.studies:
        counts = f"{study.events:>4}/{study.n:<4}"
        typer.echo(f"  {study.row.name:<{width}}  {counts}  {_percent(study.share, study.interval)}")
    if pooled.fit is None:
        typer.echo(f"Not pooled: {pooled.why_not}.")
    else:
        fit, differ = pooled.fit, pooled.fit.heterogeneity
        typer.echo(f"Pooled: {_percent(fit.rate, fit.interval)}, 95 % by the profile likelihood")
        if fit.prediction is not None:
            low, high = fit.prediction
            typer.echo(f"A further study: {100 * low:.1f} to {100 * high:.1f} %")
        i2 = "not known" if differ.i2 is None else f"{100 * differ.i2:.0f} %"
        typer.echo(
            f"tau2 {fit.tau2:.3f}, I2 {i2}; one rate for all: likelihood ratio {differ.saturated_lr:.1f}, "
            f"{differ.saturated_df} degrees of freedom, {p_words(differ.saturated_p)}"
        )
        for left, rest in pooled.without:
            typer.echo(
                f"  without {left.row.name}: {_percent(rest.rate, rest.interval)}, tau2 {rest.tau2:.3f}"
            )
    for warning in pooled.warnings:
        typer.echo(f"Note: {warning}.")
    for one in pooled.left_out:
        typer.echo(f"Not pooled: {one.row.name} (“{one.row.printed}”): {one.reason}.")


def _percent(share: float, interval: tuple[float, float]) -> str:
    return f"{100 * share:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _source_json(source: Source) -> dict[str, Any]:
    return asdict(source) | {"read_on": source.read_on.isoformat()}


def case_json(case: PublishedCase) -> dict[str, Any]:
    """One case for machines."""
    from thecal.registry.literature.as_case import as_case

    values = [
        asdict(value)
        | {
            "source": value.source.id,
            "conflict_source": None if value.conflict_source is None else value.conflict_source.id,
        }
        for value in case.values
    ]
    return {
        "id": case.id,
        "name": case.name,
        "source": _source_json(case.source),
        "table_row": case.table_row,
        "note": case.note,
        "values": values,
        "conflicts": list(case.conflicts),
        "inferences": list(case.inferences),
        "case": as_case(case).model_dump(mode="json"),
    }


def _row_json(row: Incidence) -> dict[str, Any]:
    return asdict(row) | {
        "source": _source_json(row.source),
        "conflict_source": None if row.conflict_source is None else row.conflict_source.id,
    }
