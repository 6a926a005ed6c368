"""Settings of a site that people reach: evalsite.settings, hardened. DJANGO_SETTINGS_MODULE=evalsite.production

Behind a proxy that speaks TLS; docs/operations.md tells how. A start without what this needs is refused, with a
sentence for each variable. The scheme that the proxy forwards reaches Django through uvicorn, which believes only
the peers that FORWARDED_ALLOW_IPS names; Django's own SECURE_PROXY_SSL_HEADER would believe every peer, and stays
unset.
"""

from __future__ import annotations

import os

from evalsite.errors import SettingsRefused
from evalsite.requirements import unmet

if _sentences := unmet(os.environ):
    raise SettingsRefused("The production settings refuse to start.\n" + "\n".join(_sentences))
# Whoever collects the logs of several processes wants fields, not lines.
os.environ.setdefault("LOG_FORMAT", "json")

from evalsite.settings import *  # noqa: F403 - settings build on settings
from evalsite.settings import SITE_URL, env, urlsplit

DEBUG = False
#: Only the name that people open, unless others are named: pages of other names must not open our sockets.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname])

SECURE_SSL_REDIRECT = True
#: Load balancers and watchers ask without TLS, on the inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=True)
#: W021 asks for the preload directive. It is a request to browsers' makers in the name of the whole domain and
#: hard to take back (hstspreload.org), so it is the domain owner's to send, at the proxy.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
