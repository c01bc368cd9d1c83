"""Names of session cookies, which only one framework or server gives to its cookie."""

from __future__ import annotations

from typing import Final

FOREIGN_LINK: Final = "session.foreign_link"
"""Evidence of a session in a link from another site."""

SESSION_COOKIES: Final = (
    # PHP, Java and ASP, and servers of theirs.
    *("phpsessid", "phpsession", "jsessionid", "jservsession", "jwsession", "weblogicsession"),
    *("aspsessionid[a-z]{0,8}", r"asp\.net_sessionid", "cfid", "cftoken", "cfsid"),
    # Laravel, CodeIgniter, CakePHP, Zend, Rails.
    *("laravel_session", "ci_session", "cakephp", "zend_session_id", "_session_id"),
    # Express, Sails, Koa, NextAuth, Meteor, Play, Shiny, Flask.
    *(r"connect\.sid", r"sails\.sid", r"koa[.:]sess", "meteor_login_token", "play_session"),
    *(r"(?:__secure-|__host-)?next-auth\.session-token", "shiny-token", "_flask_session"),
)
"""Patterns of the names, in lower case."""

LOG_IN_COOKIES: Final = ("session-id",)
"""A name that no framework has to itself: it counts where somebody logs in next."""
