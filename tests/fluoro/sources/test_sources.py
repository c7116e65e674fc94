"""Pictures come as they were taken, from every kind of source, and a source that fails says so."""

from __future__ import annotations

import os
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pydicom
import pytest
from jpeg_encoder import encode_lossless
from PIL import Image
from pydicom.encaps import encapsulate
from stand_in import ColumnModel, Heard, frames, picture
from xa_files import xa

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.sources.arrival import SourceLost, Unreadable
from thecal.fluoro.sources.cropped import Part
from thecal.fluoro.sources.folder import FillingFolder, FullFolder
from thecal.fluoro.sources.open import open_source
from thecal.fluoro.sources.video import Stream, VideoFile, check_host, stream_name
from thecal.fluoro.sources.xa import XaFile, XaFolder
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Watch


def came(source: object) -> list[Frame]:
    return [item for item in source.arrivals() if isinstance(item, Frame)]


def stack(count: int = 5) -> np.ndarray:
    return np.stack([frame.pixels for frame in frames(count)])


def test_a_multi_frame_xa_file_gives_its_pictures_its_times_and_its_c_arm(tmp_path: Path) -> None:
    pixels = stack()
    path = xa(
        tmp_path / "run.dcm",
        pixels,
        FrameTime=200.0,
        DistanceSourceToDetector=1050.0,
        DistanceSourceToPatient=750.0,
        PositionerPrimaryAngle=-88.5,
        PositionerSecondaryAngle=2.0,
        ImagerPixelSpacing=[0.3, 0.3],
    )
    source = open_source(str(path))
    got = came(source)
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in got]), pixels)
    assert [frame.number for frame in got] == [0, 1, 2, 3, 4]
    assert [frame.time_s for frame in got] == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
    where = source.geometry
    assert (where.sid_mm, where.sod_mm, where.pitch_mm) == (1050.0, 750.0, 0.3)
    assert (where.primary_deg, where.secondary_deg, where.shape) == (-88.5, 2.0, (96, 96))


def test_a_run_in_which_the_c_arm_turns_is_refused(tmp_path: Path) -> None:
    turning = xa(tmp_path / "run.dcm", stack(3), PositionerPrimaryAngleIncrement=[0.0, 2.0, 4.0])
    with pytest.raises(InputError, match="turns during this run"):
        open_source(str(turning))
    slowly = xa(tmp_path / "run.dcm", stack(5), PositionerPrimaryAngleIncrement=0.4)
    with pytest.raises(InputError, match="turns during this run"):
        open_source(str(slowly))
    still = xa(tmp_path / "run.dcm", stack(3), PositionerPrimaryAngleIncrement=0.1)
    assert open_source(str(still)).geometry is not None
    oblong = xa(tmp_path / "run.dcm", stack(3), ImagerPixelSpacing=[0.3, 0.4])
    with pytest.raises(InputError, match="not square"):
        open_source(str(oblong))


def test_single_pictures_between_which_the_c_arm_turned_are_refused(tmp_path: Path) -> None:
    for number in range(3):
        xa(
            tmp_path / f"{number}.dcm",
            picture(number),
            InstanceNumber=number,
            PositionerPrimaryAngle=2.0 * number,
        )
    with pytest.raises(InputError, match="turns during this run"):
        open_source(str(tmp_path))


def test_a_single_pixel_spacing_holds_for_both_ways(tmp_path: Path) -> None:
    where = open_source(str(xa(tmp_path / "run.dcm", stack(2), ImagerPixelSpacing=0.3))).geometry
    assert where.pitch_mm == 0.3
    assert where.sid_mm is None


def test_a_turned_picture_is_refused_and_a_flipped_one_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="turned by 90 degrees"):
        open_source(str(xa(tmp_path / "run.dcm", stack(2), FieldOfViewRotation=90.0)))
    assert open_source(
        str(xa(tmp_path / "x.dcm", stack(2), FieldOfViewHorizontalFlip="YES"))
    ).geometry.mirrored


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"])
def test_lossless_jpeg_is_read_to_the_last_bit(tmp_path: Path, syntax: str) -> None:
    pixels = stack(3)
    path = xa(tmp_path / "run.dcm", pixels)
    header = pydicom.dcmread(path)
    header.PixelData = encapsulate([encode_lossless(one) for one in pixels])
    header["PixelData"].is_undefined_length = True
    header.file_meta.TransferSyntaxUID = syntax
    header.save_as(path)
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in came(XaFile(path))]), pixels)


def test_a_compression_that_nothing_reads_is_said_at_the_beginning(tmp_path: Path) -> None:
    path = xa(tmp_path / "run.dcm", stack(1))
    header = pydicom.dcmread(path)
    header.PixelData = encapsulate([b"\0" * 64])
    header["PixelData"].is_undefined_length = True
    header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    header.save_as(path)
    with pytest.raises(InputError, match=r"MPEG2.*which thecal does not decode"):
        open_source(str(path))


def test_frames_of_uneven_times_keep_them(tmp_path: Path) -> None:
    path = xa(tmp_path / "run.dcm", stack(4), FrameTimeVector=[0.0, 100.0, 300.0, 50.0])
    assert [frame.time_s for frame in came(XaFile(path))] == pytest.approx([0.0, 0.1, 0.4, 0.45])


def test_a_picture_stored_white_for_dense_is_turned(tmp_path: Path) -> None:
    pixels = stack(2)
    turned = xa(tmp_path / "run.dcm", 4095 - pixels, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(came(XaFile(turned))[1].pixels, pixels[1])


def test_an_xa_file_cut_short_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    path = xa(tmp_path / "run.dcm", stack(4))
    path.write_bytes(path.read_bytes()[: -2 * 96 * 96 - 100])
    arrivals = list(XaFile(path).arrivals())
    assert isinstance(arrivals[-1], Unreadable)


def test_a_folder_of_single_dicom_pictures_is_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number, frame in enumerate(frames(4)):
        xa(tmp_path / f"{9 - number}.dcm", frame.pixels, InstanceNumber=number + 1, FrameTime=100.0)
    source = open_source(str(tmp_path))
    assert isinstance(source, XaFolder)
    got = came(source)
    np.testing.assert_array_equal(got[2].pixels, picture(2))
    assert got[3].time_s == pytest.approx(0.3)


def test_a_folder_of_runs_names_them_and_asks_for_one(tmp_path: Path) -> None:
    """As an export writes them: runs, a picture and a DICOMDIR side by side."""
    xa(tmp_path / "IM_0001.dcm", stack(5))
    xa(tmp_path / "IM_0002", stack(3))
    xa(tmp_path / "IM_0003", picture(0))
    xa(tmp_path / "DICOMDIR", picture(0))
    report = pydicom.dcmread(xa(tmp_path / "dose.dcm", picture(0)))
    del report.Rows, report.PixelData
    report.save_as(tmp_path / "dose.dcm")
    with pytest.raises(InputError, match=r"name one file: IM_0001.dcm \(5 frames\), IM_0002 \(3 frames\)$"):
        open_source(str(tmp_path))
    (tmp_path / "IM_0001.dcm").unlink()
    (tmp_path / "IM_0003").unlink()
    (tmp_path / "dose.dcm").unlink()
    # One run beside a DICOMDIR is that run.
    assert len(came(open_source(str(tmp_path)))) == 3
    (tmp_path / "IM_0002").unlink()
    with pytest.raises(InputError, match="DICOMDIR and no picture"):
        open_source(str(tmp_path))


def exposed(folder: Path, **moments: list[str]) -> list[float]:
    """The times of a folder of single-frame files whose elements are given one for each."""
    for number in range(3):
        stated = {name: values[number] for name, values in moments.items()}
        xa(folder / f"{number}.dcm", picture(number), InstanceNumber=number, FrameTime=100.0, **stated)
    return [frame.time_s for frame in came(open_source(str(folder)))]


def test_single_dicom_pictures_come_at_the_times_of_their_exposure(tmp_path: Path) -> None:
    days = ["20260303", "20260303", "20260304"]
    times = ["235959.0", "235959.25", "000000.5"]
    assert exposed(tmp_path, AcquisitionDate=days, AcquisitionTime=times) == pytest.approx([0.0, 0.25, 1.5])
    assert exposed(tmp_path, ContentDate=days, ContentTime=times) == pytest.approx([0.0, 0.25, 1.5])
    both = [day + time for day, time in zip(days, times, strict=True)]
    assert exposed(tmp_path, AcquisitionDateTime=both) == pytest.approx([0.0, 0.25, 1.5])


def test_where_the_times_of_exposure_do_not_tell_pictures_apart_the_stated_rate_counts(
    tmp_path: Path,
) -> None:
    whole = ["120000", "120000", "120001"]
    assert exposed(tmp_path, ContentDate=["20260303"] * 3, ContentTime=whole) == pytest.approx([0, 0.1, 0.2])
    assert exposed(tmp_path, ContentTime=["120000", "120001", "120002"]) == pytest.approx([0, 0.1, 0.2])


def test_a_folder_of_png_files_is_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(picture(number)).save(tmp_path / f"{number:03d}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    source = open_source(str(tmp_path))
    assert isinstance(source, FullFolder)
    np.testing.assert_array_equal(came(source)[2].pixels, picture(2))


def test_picture_9_comes_before_picture_10(tmp_path: Path) -> None:
    for number in (0, 1, 9, 10, 11, 100):
        Image.fromarray(picture(number)).save(tmp_path / f"frame{number}.png")
    for source in (open_source(str(tmp_path)), open_source(str(tmp_path), live=True)):
        for got, number in zip(source.arrivals(), (0, 1, 9, 10, 11, 100), strict=False):
            np.testing.assert_array_equal(got.pixels, picture(number))
            if number == 100:
                source.stop()


def test_a_rate_is_given_to_a_source_that_states_none_and_refused_by_one_that_does(tmp_path: Path) -> None:
    (tmp_path / "png").mkdir()
    for number in range(3):
        Image.fromarray(picture(number)).save(tmp_path / "png" / f"{number}.png")
    silent, timed = xa(tmp_path / "a.dcm", stack(3)), xa(tmp_path / "b.dcm", stack(3), FrameTime=200.0)
    for where in (tmp_path / "png", silent):
        assert not open_source(str(where)).states_times
        source = open_source(str(where), rate_hz=4.0)
        assert [frame.time_s for frame in came(source)] == pytest.approx([0.0, 0.25, 0.5])
    with pytest.raises(InputError, match="states the times of its pictures"):
        open_source(str(timed), rate_hz=4.0)
    with pytest.raises(InputError, match="is live"):
        open_source(str(tmp_path / "png"), live=True, rate_hz=4.0)
    with pytest.raises(InputError, match="above 0"):
        open_source(str(silent), rate_hz=0.0)


def test_a_folder_that_fills_gives_each_picture_once_and_waits_for_half_a_one(tmp_path: Path) -> None:
    """A PNG is written in two parts, with time between them; a DICOM file comes by renaming."""
    source = open_source(str(tmp_path))
    assert isinstance(source, FillingFolder)

    def fill() -> None:
        Image.fromarray(picture(0)).save(tmp_path / "0.png")
        whole = (tmp_path / "0.png").read_bytes()
        Image.fromarray(picture(1)).save(tmp_path / "hidden.part", "PNG")
        whole = (tmp_path / "hidden.part").read_bytes()
        with (tmp_path / "1.png").open("wb") as file:
            file.write(whole[:900])
            file.flush()
            time.sleep(0.15)
            file.write(whole[900:])
        xa(tmp_path / ".2.dcm", picture(2))
        os.rename(tmp_path / ".2.dcm", tmp_path / "2.dcm")

    thread = threading.Thread(target=fill)
    thread.start()
    got = list(islice(source.arrivals(), 3))
    thread.join()
    for number, frame in enumerate(got):
        np.testing.assert_array_equal(frame.pixels, picture(number))
        assert frame.number == number


def test_a_file_that_never_becomes_a_picture_does_not_hold_up_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thecal.fluoro.sources.folder.GIVEN_UP_S", 0.2)
    source = FillingFolder(tmp_path)
    (tmp_path / "0.png").write_bytes(b"no picture")
    Image.fromarray(picture(1)).save(tmp_path / "1.png")
    first, second = islice(source.arrivals(), 2)
    assert first == Unreadable("a new file is no picture")
    assert isinstance(second, Frame)


def test_a_run_dropped_into_a_folder_gives_its_pictures_and_its_c_arm(tmp_path: Path) -> None:
    source = FillingFolder(tmp_path)
    assert source.geometry is None
    assert source.tells_later
    pixels = stack(3)
    stated = {"FrameTime": 40.0, "PositionerPrimaryAngle": -88.0, "DistanceSourceToDetector": 1100.0}
    xa(tmp_path / "run.dcm", pixels, **stated)
    got = list(islice(source.arrivals(), 3))
    for number, frame in enumerate(got):
        assert isinstance(frame, Frame)
        np.testing.assert_array_equal(frame.pixels, pixels[number])
        assert frame.number == number
        assert frame.geometry is not None
        assert (frame.geometry.primary_deg, frame.geometry.sid_mm) == (-88.0, 1100.0)
    assert got[2].time_s - got[0].time_s == pytest.approx(0.08)
    # What lies in a folder already is asked at the beginning.
    again = FillingFolder(tmp_path)
    assert again.geometry is not None
    assert again.geometry.primary_deg == -88.0


def test_what_is_said_of_a_new_file_does_not_hold_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thecal.fluoro.sources.folder.GIVEN_UP_S", 0.0)
    source = FillingFolder(tmp_path)
    xa(tmp_path / "DOE_JANE_1.dcm", stack(3), PositionerPrimaryAngleIncrement=[0.0, 2.0, 4.0])
    report = pydicom.dcmread(xa(tmp_path / "DOE_JANE_2.dcm", picture(0)))
    del report.Rows, report.PixelData
    report.save_as(tmp_path / "DOE_JANE_2.dcm")
    (tmp_path / "DOE_JANE_3.dcm").write_bytes(b"nothing")
    said = [item.text for item in islice(source.arrivals(), 3)]
    assert said[0].startswith("The C-arm turns")
    assert said[1:] == ["a new file holds no picture", "a new file cannot be read as DICOM"]


def test_a_folder_that_goes_away_is_a_source_that_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    source = FillingFolder(folder)
    Image.fromarray(picture(1)).save(folder / "1.png")
    arrivals = source.arrivals()
    assert isinstance(next(arrivals), Frame)
    folder.rename(tmp_path / "away")
    assert isinstance(next(arrivals), SourceLost)
    (tmp_path / "away").rename(folder)
    Image.fromarray(picture(2)).save(folder / "2.png")
    assert isinstance(next(arrivals), Frame)


def test_what_is_no_source_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.avi").write_bytes(b"nothing")
    for text in (str(tmp_path / "none"), str(tmp_path / "x.avi")):
        with pytest.raises(InputError):
            open_source(text)


@pytest.mark.parametrize(
    "address", ["rtsp://example.org/x", "rtsp://10.0.0.7:554/x", "rtsp://[2001:db8::1]/x", "rtsp:///x"]
)
def test_a_stream_from_another_computer_is_refused(address: str) -> None:
    with pytest.raises(InputError):
        open_source(address)


def test_a_stream_from_this_computer_or_by_option_is_not_refused() -> None:
    for address in ("rtsp://127.0.0.1:8554/x", "rtsp://localhost/x", "rtsp://[::1]/x"):
        check_host(address, network=False)
    check_host("rtsp://10.0.0.7/x", network=True)


def test_the_name_of_a_stream_holds_no_password_and_no_path() -> None:
    assert stream_name("rtsp://user:secret@127.0.0.1:8554/doe?key=1") == "a stream of 127.0.0.1:8554"


def cv2() -> object:
    return pytest.importorskip("cv2", reason="films and streams need the extra [watch]")


def test_a_film_gives_its_pictures_at_its_own_times(tmp_path: Path) -> None:
    cv = cv2()
    path = str(tmp_path / "film.avi")
    film = cv.VideoWriter(path, cv.VideoWriter_fourcc(*"MJPG"), 15.0, (96, 96), isColor=False)
    for frame in frames(6, dtype=np.uint8):
        film.write(frame.pixels)
    film.release()
    got = came(open_source(path))
    assert [frame.time_s for frame in got] == pytest.approx([n / 15.0 for n in range(6)])
    assert np.abs(got[4].pixels.astype(int) - picture(4, dtype=np.uint8)).mean() < 3.0


@pytest.mark.parametrize(
    ("own_ms", "times_s"),
    [
        ((40.0, 60.0, 160.0, 200.0), (0.0, 0.02, 0.12, 0.16)),
        ((0.0, 0.0, 0.0, 0.0), (0.0, 0.1, 0.2, 0.3)),
        ((0.0, 50.0, 50.0, 300.0), (0.0, 0.05, 0.15, 0.3)),
    ],
)
def test_a_film_of_uneven_times_keeps_them_and_one_without_goes_by_its_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_ms: tuple[float, ...], times_s: tuple[float, ...]
) -> None:
    class Film:
        def __init__(self, *_: object) -> None:
            self.read_so_far = 0

        def isOpened(self) -> bool:  # noqa: N802
            return True

        def get(self, what: int) -> float:
            return 10.0 if what == cv.CAP_PROP_FPS else own_ms[self.read_so_far - 1]

        def read(self) -> tuple[bool, np.ndarray | None]:
            self.read_so_far += 1
            return self.read_so_far <= len(own_ms), np.zeros((8, 8, 3), np.uint8)

        def release(self) -> None: ...

    cv = cv2()
    monkeypatch.setattr(cv, "VideoCapture", Film)
    assert [frame.time_s for frame in came(VideoFile(tmp_path / "x.avi"))] == pytest.approx(times_s)


def test_a_camera_that_is_not_there_is_lost_and_not_an_end() -> None:
    cv2()
    source = open_source("/dev/video97")
    arrivals = source.arrivals()
    assert isinstance(source, Stream)
    assert isinstance(next(arrivals), SourceLost)


def test_a_stream_on_loopback_is_watched_lost_when_it_breaks_and_found_again() -> None:
    """The whole chain over a real connection: the server goes away and comes back on the same port."""
    cv2()
    from rtsp_server import RtspServer

    def streamed(number: int) -> np.ndarray:
        return picture(number % 12, seed=number, dtype=np.uint8)

    server = RtspServer(streamed)
    heard = Heard()
    session = Session(Watch(), ColumnModel(), [heard])
    thread = threading.Thread(target=session.run, args=(open_source(server.address),))
    thread.start()
    try:
        assert _until(lambda: heard.levels()[-1:] == ["ok"])
        gone = time.monotonic()
        server.stop()
        assert _until(lambda: heard.levels()[-1:] == ["lost"])
        assert time.monotonic() - gone < 1.3
        server = RtspServer(streamed, port=server.port)
        assert _until(lambda: heard.levels()[-1:] == ["ok"])
    finally:
        session.stop()
        server.stop()
        thread.join()
    assert heard.levels() == ["lost", "ok", "lost", "ok"]


def _until(true: object, timeout_s: float = 15.0) -> bool:
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_a_dicom_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    path = xa(tmp_path / "x.dcm", picture(0))
    header = pydicom.dcmread(path)
    del header.Rows, header.PixelData
    header.save_as(path)
    with pytest.raises(InputError, match="holds no picture"):
        open_source(str(path))


def test_of_a_filmed_screen_only_the_part_with_the_fluoroscopy_is_handed_on(tmp_path: Path) -> None:
    cv = cv2()
    path = tmp_path / "screen.avi"
    film = cv.VideoWriter(str(path), cv.VideoWriter_fourcc(*"MJPG"), 15.0, (160, 128), isColor=False)
    screen = np.full((128, 160), 10, np.uint8)
    screen[20:116, 50:146] = 200
    for _ in range(3):
        film.write(screen)
    film.release()
    source = open_source(str(path), part=Part(24, 54, 88, 88))
    (first, *_) = [a for a in source.arrivals() if isinstance(a, Frame)]
    assert first.pixels.shape == (88, 88)
    assert first.pixels.min() > 180
    wide = open_source(str(path), part=Part(60, 54, 88, 88))
    assert all(isinstance(a, Unreadable) for a in wide.arrivals())


def test_a_source_that_holds_the_picture_alone_is_not_cut(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--crop is for a film"):
        open_source(str(tmp_path), part=Part(0, 0, 90, 90))
    with pytest.raises(InputError, match="at least 64"):
        Part(0, 0, 90, 20)
