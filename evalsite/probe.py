"""Whether a process of this machine answers: ``python probe.py PORT PATH`` exits with 0 when it says 200.

For health checks of containers, which have no curl. Started by path, without Django, so that it costs little.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

TIMEOUT_S = 3


def main() -> int:
    port, path = int(sys.argv[1]), sys.argv[2]
    # Production answers to its own name alone.
    host = urlsplit(os.environ.get("SITE_URL", "")).hostname or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Host": host})
        return int(connection.getresponse().status != 200)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
