"""Paths of files that a site shows: of a repository, a network share or a manual.

A probe requests a file that is in a site's own folder by mistake, near its root. A code host shows
the same names as content, after the name of a branch, under its own access rules. So a path of this
form that does not lead out of it is not a probe: an attacker who uses the form only gets
`/blob/main/.env`, which no folder has.
"""

from __future__ import annotations

import re
from typing import Final

# No blanks, dots, backslashes or parameters that could lead a server elsewhere; and nothing from
# the repository's own store, which no tree contains.
_PLAIN: Final = re.compile(
    r"(?:/(?!\.{1,2}(?:/|$)|\.(?:git|svn|hg)(?:/|$))[\w.@+~()\[\],=& -]+)+/?", re.ASCII
)
_REF: Final = r"[\w.@+-]+/"
# Files of a branch, a tag or a commit: GitHub, GitLab, Gitea, Bitbucket, cgit, and their APIs.
_IN_REPOSITORY: Final = re.compile(
    rf"/(?:-/[a-z_]{{3,16}}|blob|raw|tree|blame|commits|edit)/(?:(?:branch|tag|commit|refs/heads|refs/tags)/)?{_REF}[^/]"
    rf"|/src/(?:(?:branch|tag|commit)/{_REF}|[0-9a-f]{{40}}/)[^/]"
    r"|/repos/[^/]+/[^/]+/contents/[^/]|/repository/files/[^/]"
)
# Files that every published program has, two folders deep or in a manual.
_PUBLISHED: Final = re.compile(
    r"/(?:[^/]+/[^/]+|wiki|docs?|manual|help|reference)/(?:[^/]+/)*(?:dockerfile|gemfile|package(?:-lock)?\.json|composer\.(?:json|lock)|yarn\.lock"
    r"|\.travis\.ya?ml|\.github/(?:[\w.-]+/){0,8}[\w.-]+\.ya?ml|\.env\.(?:example|sample|template|dist))"
    # A public key; a page about a command.
    r"|/(?:[^/]+/)+(?:id_\w+\.pub|passwd(?:\.\d)?\.(?:txt|html?|md|pdf))",
    re.IGNORECASE,
)


def is_plain_path(path: str) -> bool:
    """Whether nothing in a path leads out of a folder, into a store or to another server."""
    return _PLAIN.fullmatch(path) is not None


def is_shown(path: str) -> bool:
    """Whether a path names a file that the site shows as content."""
    return (
        is_plain_path(path)
        and (_IN_REPOSITORY.search(path) or _PUBLISHED.fullmatch(path)) is not None
    )
