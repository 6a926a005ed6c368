"""What tests of pages need."""

from tests.pages import browser_of, converse, researcher  # noqa: F401
