"""Static files with hashed names, compressed once; missing names fail loudly."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage; ES modules that import each other get hashed names too."""

    support_js_module_import_aggregation = True
