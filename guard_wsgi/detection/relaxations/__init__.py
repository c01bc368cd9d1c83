"""Relaxations: harmless text that looks like an attack, and why it is harmless.

| file | what it lets pass | example |
|---|---|---|
| boot_scripts.py | scripts for new machines | `user_data` |
| breakout.py | (for idle_evidence.py) text that can't leave its place | `it's 'a' or 'b'` |
| exclusions.py | what the site excludes | a field of `detection_exclusions` |
| expressions.py | expressions of columns | `SUM(x)::float` |
| field_names.py | what the name of a field says | `code`, `search`, `sql` |
| formulas.py | characters by their codes in a spreadsheet | `=A1&CHAR(10)` |
| fragments.py | markup and templates that do nothing | `<a href="javascript:history.back()">` |
| grammars.py | whole values in the language of a setting | `CHAR(10)`, `/html/body/div[1]` |
| idle_evidence.py | indicators without their condition | a template without an end |
| notations.py | values of a strict grammar | `^[a-z]+$`, `src/**/*.py` |
| passwords.py | passwords, with less than an injection | `x'--1` |
| placeholders.py | templates that only print | `{{ user.name }}` |
| published_fields.py, published_formats.py | programs in known formats | error reports |
| shown_files.py | paths after a branch | `/ann/shop/blob/main/.env` |
| styles.py | style sheets that name files and values | `@import "base.css";` |
| terms.py | names alone | `eval()`, `information_schema` |
"""

from __future__ import annotations
