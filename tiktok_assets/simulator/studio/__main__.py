"""``python -m tiktok_assets.simulator.studio --port 8400``."""

import argparse
import sys

from tiktok_assets.simulator.studio.server import PortTaken, run


def main() -> int:
    """Serves until Ctrl-C; exit code 2 if the port is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m tiktok_assets.simulator.studio", description="A simulated TikTok Studio with two accounts."
    )
    parser.add_argument("--port", type=int, default=8400, help="where to listen on 127.0.0.1 (0: any free port)")
    try:
        run(parser.parse_args().port)
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
