"""Types of columns, formulas, lists of fields, XPaths, filters of a directory and titles pass."""

from __future__ import annotations

import pytest

from tests.customers.posted import statuses_of

COLUMN_TYPES = """
CHAR(10)
CHAR(36)
char(2)
char(1) not null
NCHAR(10)
NATIONAL CHAR(4)
CHARACTER(20)
CHAR(10 BYTE)
CHAR(10) CHARACTER SET utf8mb4
char(10)[]
code CHAR(3) NOT NULL DEFAULT 'EUR'
BINARY(16)
"""
FORMULAS = """
=A1&CHAR(10)
=A1&CHAR(10)&B1
=CONCATENATE(A1,CHAR(10),B1)
=TEXTJOIN(CHAR(10),TRUE,A1:A3)
=SUBSTITUTE(A1,CHAR(160)," ")
=SUBSTITUTE(SUBSTITUTE(A1,CHAR(13),""),CHAR(10),", ")
=LEFT(A1,FIND(CHAR(32),A1)-1)
=IF(A1="","",A1&CHAR(10)&B1)
=IFERROR(VLOOKUP(A2,'Price List'!$A$2:$B$99,2,FALSE)&CHAR(10)&"per box","")
=JOIN(CHAR(10),FILTER(B:B,A:A=E2))
=CLEAN(TRIM(SUBSTITUTE(A1,CHAR(160),CHAR(32))))
="Line 1"&CHAR(10)&"Line 2"
=REPT(CHAR(9608),B2/10)
"""
FIELD_LISTS = """
id,name,author{id,name}
id,message,comments.limit(10){id,from,message},likes.summary(true)
{id,name}
author{id,name}
a{b,c}
{id,name,author{id,name,avatar{url,width}}}
id,title,items{sku,qty},shipping{city,zip}
campaigns{name,adsets{name,ads{id,name,insights.date_preset(last_7d){clicks,spend}}}}
{users{id,name},posts{id,title}}
{user(id: 3){id,name}}
"""
XPATHS = """
/html/body/div[1]/p
/html/body/div[2]/ul/li[1]
/html[1]/body[1]/div[2]
/html/body/main/section[3]/div[2]/table/tbody/tr[4]/td[2]
//*[@id="content"]/div[2]/span
//*[@id="__next"]/div/div[2]/h1
//h2[contains(., 'Price')]
//div[@class='a' or @class='b']
//a[text()='Next' or @id='n']
//table[@id='t1']//tr[2]/td[3]
//input[@name='password']
//div[contains(concat(' ',normalize-space(@class),' '),' item ')]
(//div[@class='item'])[2]
xpath=//div[@data-test="x"]
.//span[@class='price']
/html/body/div[@id='x' and @class='y']/a[not(@href)]
//div[@id='a']/following-sibling::div[1]
"""
FILTERS = """
(&(objectClass=inetOrgPerson)(uid=%s))
(&(objectClass=user)(sAMAccountName={0}))
(|(sAMAccountName={username})(mail={username}))
(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))
(&(objectclass=user)(sAMAccountName=%(user)s))
(&(objectCategory=Person)(sAMAccountName=*)(memberOf=CN=Git,OU=Groups,DC=example,DC=com))
(&(|(objectclass=inetOrgPerson)(objectclass=person))(uid=%s)(!(nsAccountLock=TRUE)))
(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=%s))
(memberUid=%{user})
(mail=*@example.com)
"""
TITLES = """
Shelf 3' -- white
2" x 4" x 8' -- #2 pine
3/4" x 2' -- #4 screws
Lumber 2" x 6" x 12' -- treated
Shelf 6' -- oak, 12" deep
Garden hose 50' - green
Kayak 10' # 4 blue
Sizes: 3' -- 6' poles
"""
VARIABLES = """
${B}
${PORT:-8080}
${TAG:-latest}
nginx:${TAG:-latest}
${HOST:-localhost}:${PORT:-8080}
postgres://${DB_USER:-app}:${DB_PASSWORD:-app}@db:5432/${DB_NAME:-app}
${DATA_DIR:-./data}
${DB_PASSWORD:?must be set}
@{user}
{{ states(trigger.entity_id) }}
"""
SIGNS = r"""
I &#60;3 you
5 &#62; 3
\0
\x00
\u0000
\001
||
^((([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(\*|[\w%._\-\+~#=@]+)?(\/[^@\s]*)?)|(\*|[\w%._\-\+~#=@]+\.[\w%]+)|(([a-zA-Z][a-zA-Z0-9+.-]*):(\/\/)?\*))$
"""
EVERYWHERE = [
    text
    for texts in (COLUMN_TYPES, FORMULAS, FIELD_LISTS, XPATHS, FILTERS, TITLES, VARIABLES, SIGNS)
    for text in texts.strip().splitlines()
]


@pytest.mark.parametrize("text", EVERYWHERE)
def test_a_value_in_the_language_of_a_setting_passes(text: str) -> None:
    for name in ("value", "type", "title"):
        assert statuses_of(name, text) == {200}


EXPRESSIONS = """
id::int
payload::json
amount::numeric(10,2)
orders.amount::numeric
SUM(x)::float
ROUND(SUM(amount)::numeric, 2)
COUNT(*)::float/100
SUM(CASE WHEN status='paid' THEN amount ELSE 0 END)/NULLIF(COUNT(*),0)
SUM(CASE WHEN status = 'paid' THEN 1 ELSE 0 END)::float / COUNT(*)
CASE WHEN gender='f' THEN 'Female' ELSE 'Male' END
CASE WHEN age<18 THEN 'minor' WHEN age<65 THEN 'adult' ELSE 'senior' END
COALESCE(NULLIF(x,''),'y')
"a" || "b"
"""


@pytest.mark.parametrize("text", EXPRESSIONS.strip().splitlines())
def test_an_expression_of_columns_passes_in_a_body(text: str) -> None:
    for name in ("value", "metric", "measures"):
        assert statuses_of(name, text, "form", "json", "nested") == {200}


@pytest.mark.parametrize("text", ["x::text", "std::text", "My::Text"])
def test_a_name_of_a_class_is_no_cast(text: str) -> None:
    assert statuses_of("value", text) == {200}


@pytest.mark.parametrize("name", ["ldap_url", "LDAP_URI", "ldap_server", "directory_url"])
def test_the_address_of_a_directory_passes_in_its_field(name: str) -> None:
    for address in (
        "ldap://ldap.corp.example.com",
        "ldaps://ad1.corp.example.com:636",
        "ldap://dc1:389/dc=example,dc=com",
    ):
        assert statuses_of(name, address) == {200}
