"""What ``thecal literature pool --out`` writes: the page, the picture and the figures, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from thecal import __version__
from thecal.registry.pooling.binomial_normal import NODES, Fit
from thecal.registry.pooling.pool import Pooled
from thecal.terms import RESEARCH_USE

SCHEMA: Final = "thecal.pool/1"
OUR_FILES: Final = ("pool.json", "pool.html", "forest.svg", "forest.png")


def pool_json(pooled: Pooled) -> dict[str, Any]:
    """The answer for machines; rates are shares, 0 to 1, ``mu``, ``se`` and ``tau2`` are of logits."""
    question = pooled.question
    return {
        "schema": SCHEMA,
        "software": {"name": "thecal", "version": __version__},
        "research_use": RESEARCH_USE,
        "question": {
            "words": question.words,
            "what": question.what,
            "procedure": question.procedure,
            "counted": question.counted,
            "modality": question.modality,
            "population": question.population,
        },
        "model": f"binomial-normal, maximum likelihood, adaptive Gauss-Hermite quadrature of {NODES} nodes",
        "studies": [
            {
                "id": study.row.id,
                "name": study.row.name,
                "source": study.row.source.id,
                "events": study.events,
                "n": study.n,
                "rate": study.share,
                "exact_interval": study.interval,
                "counted": study.row.counted,
                "procedure": study.row.procedure,
                "modality": study.row.modality,
                "population": study.row.population,
                "events_from": study.row.events_from,
                "certainty": study.row.certainty,
                "conflict": study.row.conflict,
            }
            for study in pooled.studies
        ],
        "pooled": None if pooled.fit is None else fit_json(pooled.fit),
        "not_pooled_because": pooled.why_not,
        "leave_one_out": [{"without": study.row.id, **fit_json(rest)} for study, rest in pooled.without],
        "left_out": [
            {"id": one.row.id, "name": one.row.name, "reason": one.reason} for one in pooled.left_out
        ],
        "warnings": list(pooled.warnings),
    }


def fit_json(fit: Fit) -> dict[str, Any]:
    """One fit for machines."""
    differ = fit.heterogeneity
    return {
        "rate": fit.rate,
        "interval": fit.interval,
        "wald_interval": fit.wald,
        "prediction_interval": fit.prediction,
        "mu": fit.mu,
        "se": fit.se,
        "tau2": fit.tau2,
        "i2": differ.i2,
        "heterogeneity": {
            "likelihood_ratio": differ.saturated_lr,
            "df": differ.saturated_df,
            "p": differ.saturated_p,
            "tau_likelihood_ratio": differ.tau_lr,
            "tau_p": differ.tau_p,
        },
        "log_likelihood": fit.log_likelihood,
    }


def write_pool(out: Path, pooled: Pooled) -> None:
    """Write page, picture and figures into a folder.

    Parameters
    ----------
    out : Path
        Made where it does not exist; only the files of this command are replaced.
    pooled : Pooled

    Raises
    ------
    InputError
        Where ``out`` cannot be written to.
    """
    import json

    from PIL import Image

    from thecal.registry.pictures.forest import forest_picture
    from thecal.report.page import page_template
    from thecal.report.replaced_files import replaced_files

    picture = forest_picture(pooled)
    page = page_template("thecal.registry.pooling", "pool.html.j2", p_value=p_words).render(
        pooled=pooled, forest=picture, version=__version__, research_use=RESEARCH_USE
    )
    with replaced_files(out, OUR_FILES) as folder:
        figures = json.dumps(pool_json(pooled), indent=2, ensure_ascii=False) + "\n"
        (folder / "pool.json").write_text(figures, encoding="utf-8")
        (folder / "pool.html").write_text(page, encoding="utf-8")
        (folder / "forest.svg").write_text(picture.svg, encoding="utf-8")
        Image.fromarray(picture.pixels).save(folder / "forest.png")


def p_words(p: float) -> str:
    """A p-value as it is read."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
