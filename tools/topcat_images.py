"""Make the images of docs/topcat.rst: a real TOPCAT with a table that was sent to it, and STILTS plots of our files.

Needs topcat, stilts, xdotool, a JDK and Xvfb (Debian packages). Nothing leaves this machine.

usage: python tools/topcat_images.py [FOLDER]      (by default docs/images/topcat)
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.image import imsave

from stellarlabels import UACSNet, catalogs
from stellarlabels.archive.samp import send_to_topcat
from stellarlabels.exceptions import SampError
from stellarlabels.inputs.examples import xp_apogee_sample

DISPLAY = ":93"
SIZE = (860, 560)
#: Where the icons are in TOPCAT's control window.
ICONS = {"columns": (235, 40), "table": (160, 40)}


def screen(framebuffer):
    """The screen of Xvfb, which it keeps in a file of the xwd format, as an array (rows, columns, RGB)."""
    data = framebuffer.read_bytes()
    header = np.frombuffer(data[:100], ">u4")
    start, width, height, line = header[0] + 12 * header[19], header[4], header[5], header[12]
    pixels = np.frombuffer(data[start : start + line * height], np.uint8).reshape(height, line // 4, 4)
    return pixels[:, :width, 2::-1].copy()


def save(pixels, changed, path):
    """Write the rectangle of the pixels that have changed as PNG."""
    rows, columns = np.flatnonzero(changed.mean(axis=1) > 0.02), np.flatnonzero(changed.mean(axis=0) > 0.02)
    imsave(path, np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]))


def sent(table, seconds=90):
    """Send the table as soon as TOPCAT is there."""
    for _ in range(seconds):
        try:
            return send_to_topcat(table)
        except SampError as error:
            failure = error
        time.sleep(1)
    raise failure


def windows(table, folder, work):
    """Screenshots of TOPCAT with the table."""
    from pyvo.samp import SAMPHubServer, conf

    lockfile = work / "samp.lock"
    os.environ.update(SAMP_HUB=f"std-lockurl:{lockfile.as_uri()}", HOME=str(work), DISPLAY=DISPLAY)
    server = ["Xvfb", DISPLAY, "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp", "-fbdir", str(work)]
    with conf.set_temp("use_internet", False):
        hub = SAMPHubServer(web_profile=False, addr="127.0.0.1", lockfile=str(lockfile))
        hub.start()
        display = subprocess.Popen(server, stderr=subprocess.DEVNULL)
        time.sleep(1)
        log = (work / "topcat.log").open("w")
        topcat = subprocess.Popen(["topcat", "-Djsamp.localhost=127.0.0.1"], stdout=log, stderr=subprocess.STDOUT)
        try:
            sent(table)
            time.sleep(3)
            control = screen(work / "Xvfb_screen0")
            save(control, control.any(axis=2), folder / "control.png")
            for name, (x, y) in ICONS.items():
                subprocess.run(["xdotool", "mousemove", str(x), str(y), "click", "1"], check=True)
                time.sleep(4)
                now = screen(work / "Xvfb_screen0")
                save(now, (now != control).any(axis=2) & (np.arange(SIZE[1]) > y + 20)[:, None], folder / f"{name}.png")
                subprocess.run(["xdotool", "key", "ctrl+w"], check=True)
                time.sleep(2)
        finally:
            topcat.terminate()
            topcat.wait(20)
            hub.stop()
            display.terminate()
            display.wait(10)
            log.close()


def answered(stars, folder, work):
    """Screenshot of TOPCAT with a table that it has sent to ``stellarlabels samp``, and the one that came back."""
    from pyvo.samp import SAMPHubServer, conf

    lockfile = work / "samp.lock"
    os.environ.update(SAMP_HUB=f"std-lockurl:{lockfile.as_uri()}", HOME=str(work), DISPLAY=DISPLAY)
    server = ["Xvfb", DISPLAY, "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp", "-fbdir", str(work)]
    java = ["java", "-Djsamp.localhost=127.0.0.1", "-cp", "/usr/share/java/starlink-topcat.jar"]
    script = Path(__file__).parents[1] / "tests" / "stand_ins" / "SendTable.java"
    with conf.set_temp("use_internet", False):
        hub = SAMPHubServer(web_profile=False, addr="127.0.0.1", lockfile=str(lockfile))
        hub.start()
        display = subprocess.Popen(server, stderr=subprocess.DEVNULL)
        service = subprocess.Popen(
            [sys.executable, "-m", "stellarlabels", "samp", "--offline", "--count", "1"], stdout=subprocess.PIPE
        )
        service.stdout.readline()
        topcat = subprocess.Popen([*java, str(script), str(stars), "stellarlabels"], stdout=subprocess.DEVNULL)
        try:
            service.wait(300)
            time.sleep(3)
            shown = screen(work / "Xvfb_screen0")
            save(shown, shown.any(axis=2), folder / "answered.png")
        finally:
            topcat.terminate()
            topcat.wait(20)
            hub.stop()
            display.terminate()
            display.wait(10)


def plots(labels, stars, folder):
    """Plots that STILTS makes of our files."""
    common = ["xpix=640", "ypix=420", "omode=out"]
    kiel = [
        "stilts", "plot2plane", f"in={labels}", "layer1=mark", "x1=teff", "y1=logg", "shading1=aux", "aux1=feh",
        "size1=2", "layer2=xyerror", "in2=" + str(labels), "x2=teff", "y2=logg", "xerrhi2=teff_err", "yerrhi2=logg_err",
        "shading2=flat", "color2=light_grey", "seq=2,1", "xflip=true", "yflip=true",
        "xlabel=Teff / K", "ylabel=log g", "auxlabel=[Fe/H]", *common, f"out={folder / 'kiel.png'}",
    ]  # fmt: skip
    match = [
        "stilts", "tmatch2", f"in1={labels}", f"in2={stars}", "matcher=exact", "values1=source_id", "values2=source_id",
        "suffix1=", "suffix2=_apogee", f"out={folder / 'both.fits'}",
    ]  # fmt: skip
    residuals = [
        "stilts", "plot2plane", f"in={folder / 'both.fits'}", "layer1=mark", "x1=feh_apogee", "y1=feh-feh_apogee",
        "icmd=select feh_flag==0", "size1=2", "layer2=function", "fexpr2=0", "color2=black",
        "xlabel=[Fe/H] of APOGEE", "ylabel=[Fe/H] minus that of APOGEE", "legend=false", *common,
        f"out={folder / 'residuals.png'}",
    ]  # fmt: skip
    for command in (kiel, match, residuals):
        subprocess.run(command, check=True, env=dict(os.environ, JAVA_OPTS="-Djava.awt.headless=true"))
    (folder / "both.fits").unlink()


def main():
    """Make all images."""
    matplotlib.use("agg")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/topcat").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    stars = xp_apogee_sample()
    labels = UACSNet.pretrained().predict(stars)
    labels.meta["name"] = "UACSNet labels"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        catalogs.write(labels, work / "labels.vot")
        catalogs.write(stars[["source_id", "teff", "logg", "feh"]], work / "stars.vot")
        plots(work / "labels.vot", work / "stars.vot", folder)
        windows(labels, folder, work)
        catalogs.write(stars["source_id", "flux", "flux_error", "phot_g_mean_mag"], work / "spectra.vot")
        answered(work / "spectra.vot", folder, work)
    for path in sorted(folder.glob("*.png")):
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
