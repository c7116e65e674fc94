"""``thecal listen``: CT studies that are sent here are assessed, and the results pushed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thecal.cli.archives import Authorities, OurCertificate, OurTitle
from thecal.cli.assess import SegChoice
from thecal.terms import EVEN_ODDS


def listen(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Folder for what is received and what comes of it.")
    ],
    port: Annotated[int, typer.Option(metavar="PORT", help="Port to listen on.")] = 11112,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 for all of this computer's.")
    ] = "127.0.0.1",
    aet: OurTitle = "THECAL",
    sender: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="TITLE", help="AE title that may send; may be repeated. Else all may."
        ),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            "--push", metavar="ARCHIVE", help="Where results go, as for thecal push. Else they stay."
        ),
    ] = None,
    quiet: Annotated[
        float, typer.Option(metavar="SECONDS", help="A study is complete when so long no image came.")
    ] = 60.0,
    anatomy: Annotated[
        str, typer.Option(metavar="NAME", help="As for thecal assess: builtin or totalsegmentator.")
    ] = "builtin",
    intradural_prior: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="As for thecal assess: probability of cement inside the dura before the CT.",
        ),
    ] = EVEN_ODDS,
    seg: Annotated[
        SegChoice, typer.Option("--seg", help="As for thecal assess: DICOM SEG as bits or as a label map.")
    ] = SegChoice.BINARY,
    whole_frames: Annotated[
        bool,
        typer.Option("--whole-frames", help="As for thecal assess: DICOM SEG at the images' own size."),
    ] = False,
    identified: Annotated[
        bool, typer.Option("--identified", help="Put the patient's name on the page, as for thecal assess.")
    ] = False,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Make and push the page for paper too, as for thecal assess.")
    ] = False,
    ca: Authorities = None,
    cert: OurCertificate = None,
) -> None:
    """Assess CT studies that are sent here by C-STORE, and push the results.

    Runs until it is stopped. However it is stopped, it loses no study that it has taken, and started again it
    goes on where it was. Studies that cannot be assessed are set aside with the reason in their state.json.
    With --cert it listens by TLS, with --ca too it takes only senders with a certificate of these
    authorities. Research use only.
    """
    import logging
    import signal
    import sys

    from thecal.dicom.headers import CT_STORAGE
    from thecal.dicom.network.address import Caller, checked_ae_title, parse_address
    from thecal.dicom.network.connect import open_archive
    from thecal.dicom.network.door import open_door
    from thecal.dicom.network.inbox import Inbox
    from thecal.dicom.network.listener import LOG, Listener, Plan
    from thecal.dicom.network.tls import server_tls
    from thecal.errors import InputError

    if not 0 <= quiet < float("inf"):
        raise InputError("--quiet is a number of seconds")
    if not 0 <= port <= 65535:
        raise InputError("--port is a number from 0 to 65535")
    # A slip in any of these would set every study aside.
    if intradural_prior != EVEN_ODDS:
        from thecal.leakage.intradural.probability import check_prior

        check_prior(intradural_prior)
    if anatomy != "builtin":
        from thecal.anatomy.find import backend

        backend(anatomy)
    if pdf:
        from thecal.report.pdf import check_pdf_can_be_made

        check_pdf_can_be_made()
    senders = [checked_ae_title(title) for title in sender or []]
    caller = Caller(aet, ca, cert)
    archive = open_archive(parse_address(push), caller) if push else None
    secure = server_tls(caller)

    options = ["--anatomy", anatomy, f"--intradural-prior={intradural_prior!r}", "--seg", seg.value]
    switches = {"--whole-frames": whole_frames, "--identified": identified, "--pdf": pdf}
    options += [name for name, on in switches.items() if on]

    def assess(images: Path, report: Path) -> list[str]:
        attended = [sys.executable, "-m", "thecal.dicom.network.attended", "thecal.cli.listen:assess_study"]
        return [*attended, str(images), str(report), *options]

    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", level=logging.WARNING)
    LOG.setLevel(logging.INFO)
    inbox = Inbox(folder)
    listener = Listener(inbox, Plan(assess, archive, quiet))
    # CT images alone: thecal's own results never come back to be assessed.
    door = open_door(
        listener.receive,
        ae_title=aet,
        host=host,
        port=port,
        sop_classes=sorted(CT_STORAGE),
        senders=senders,
        ssl_context=secure,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: listener.stopping.set())
    try:
        LOG.info("listening as %s on %s:%d", aet, host, door.server_address[1])
        listener.run()
    finally:
        door.shutdown()
        inbox.close()
    LOG.info("stopped")


def assess_study(words: list[str]) -> None:
    """Assess a received study in a process of its own: why nothing came of it is the last line of stderr.

    Parameters
    ----------
    words : list of str
        The folder of its images, the folder for the report, and options of assess.
    """
    import json

    from thecal.cli import EXIT_NO_SPINE, run

    images, report, *options = words
    status = run(["assess", images, "--out", report, *options])
    if status == EXIT_NO_SPINE:
        notes = json.loads((Path(report) / "report.json").read_bytes())["quality"]
        typer.echo(next(note["message"] for note in notes if note["code"] == "spine_not_found"), err=True)
    raise SystemExit(status)
