"""The content policy of the one page that draws with plotly."""

from __future__ import annotations

#: plotly.js 4.1.1 (plotly 7.1.0) puts the style sheet of its maps into the page; this is that text's hash.
#: A test reads it out of the installed package and fails when it changes.
PLOTLY_STYLE = "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"
#: Added to the site's policy: the hash above, and the addresses of pictures that plotly makes in the browser.
REPORT_POLICY = {"style-src": [PLOTLY_STYLE], "img-src": ["data:", "blob:"]}
