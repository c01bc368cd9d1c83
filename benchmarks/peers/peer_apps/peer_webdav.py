"""A share: WsgiDAV, with litmus, the requests of a Mac, of Windows and of offices, real files."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from peer_files import real_files

REQUIREMENTS = ("WsgiDAV", "requests")
SENDS_FILES = True

MAC = {"User-Agent": "WebDAVFS/3.0.0 (03008000) Darwin/23.4.0 (arm64)", "Accept": "*/*"}
WINDOWS = {"User-Agent": "Microsoft-WebDAV-MiniRedir/10.0.19045", "Translate": "f"}

PROPFIND = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<D:propfind xmlns:D="DAV:">\n<D:prop>\n'
    b"<D:getlastmodified/>\n<D:getcontentlength/>\n<D:creationdate/>\n<D:resourcetype/>\n"
    b"</D:prop>\n</D:propfind>\n"
)
LOCK = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<D:lockinfo xmlns:D="DAV:">\n<D:lockscope>'
    b"<D:exclusive/></D:lockscope>\n<D:locktype><D:write/></D:locktype>\n<D:owner>\n"
    b"<D:href>http://www.apple.com/webdav_fs/</D:href>\n</D:owner>\n</D:lockinfo>\n"
)

LOOKED_FOR = (
    "/.DS_Store",
    "/._.DS_Store",
    "/._.",
    "/.Spotlight-V100",
    "/.Trashes",
    "/.TemporaryItems",
    "/.fseventsd",
    "/.hidden",
    "/.metadata_never_index",
    "/.metadata_never_index_unless_rootfs",
    "/.metadata_direct_scope_only",
    "/.ql_disablethumbnails",
    "/.ql_disablecache",
    "/.VolumeIcon.icns",
    "/.localized",
    "/.DocumentRevisions-V100",
    "/.apdisk",
    "/.com.apple.timemachine.supported",
    "/mach_kernel",
    "/Contents",
    "/Backups.backupdb",
    "/desktop.ini",
    "/Desktop.ini",
    "/Thumbs.db",
    "/AutoRun.inf",
    "/folder.jpg",
    "/$RECYCLE.BIN",
    "/System Volume Information",
    "/.Trash-1000",
    "/.directory",
    "/.xdg-volume-info",
    "/.nomedia",
    "/.sync_abc.db",
    "/.~lock.report.odt#",
    "/~$report.docx",
)
"""What file managers of all systems ask a share for, whether it is there or not."""

WRITTEN = (
    ".DS_Store",
    "._photo.jpg",
    "._.DS_Store",
    "desktop.ini",
    "Thumbs.db",
    ".gitignore",
    ".gitattributes",
    ".editorconfig",
    ".dockerignore",
    ".npmrc",
    ".eslintrc.json",
    ".prettierrc",
    ".bashrc",
    ".profile",
    ".vimrc",
    ".gitlab-ci.yml",
    ".travis.yml",
    "package.json",
    "package-lock.json",
    "composer.json",
    "Dockerfile",
    "docker-compose.yml",
    "Makefile",
    "Gemfile",
    "requirements.txt",
    "setup.cfg",
    "pyproject.toml",
    "web.config.txt",
    "notes.sql",
    "backup.sql",
    "dump.sql.gz",
    "site.tar.gz",
    "old.bak",
    "error.log",
    "id_card.pdf",
    "config.yml",
    "settings.py",
    "install.sh",
    "run.bat",
    "setup.exe",
    "~$report.docx",
    ".~lock.report.odt#",
    "Résumé (2).pdf",
    "50% off & more.txt",
    "what's new?.txt",
    "C# notes.md",
    "a;b.txt",
    "A --> B.drawio",
    "Kopie von Übersicht.xlsx",
    "$budget$.ods",
    "x=1 or y=2.txt",
    "select from list.txt",
)


def app(folder: Path) -> Any:
    """The share."""
    from wsgidav.wsgidav_app import WsgiDAVApp

    return WsgiDAVApp(
        {
            "provider_mapping": {"/": str(folder)},
            "simple_dc": {"user_mapping": {"*": True}},
            "verbose": 0,
            "logging": {"enable_loggers": []},
        }
    )


def drive(url: str, folder: Path, step: Any) -> None:
    """Use the share as people's machines do."""
    if shutil.which("litmus"):
        _litmus(url, folder, step)
    session = _Session(url)
    step("Mac mounts", lambda: session.ask("OPTIONS", "/", headers=MAC))
    for depth in ("0", "1"):
        step(
            f"Mac lists, depth {depth}",
            lambda depth=depth: session.ask(
                "PROPFIND", "/", PROPFIND, {**MAC, "Depth": depth, "Content-Type": "text/xml"}
            ),
        )
    for path in LOOKED_FOR:
        for who, headers in (("Mac", MAC), ("Windows", WINDOWS)):
            step(
                f"{who} looks for {path}",
                lambda path=path, headers=headers: session.ask(
                    "PROPFIND",
                    path,
                    PROPFIND,
                    {**headers, "Depth": "0", "Content-Type": "text/xml"},
                    allowed=(207, 404),
                ),
            )
        step(f"asks for {path}", lambda path=path: session.ask("GET", path, allowed=(200, 404)))
    _locked_write(session, step)
    for name in WRITTEN:
        step(f"writes {name}", lambda name=name: session.write(name, b"content\n"))
        step(f"reads {name} back", lambda name=name: session.read(name, b"content\n"))
        step(f"renames {name}", lambda name=name: session.move(name, "moved " + name))
    step("copies", lambda: session.copy("moved Makefile", "Makefile.old"))
    for kind, name, content in real_files(60):
        given = ("files-" + name, content)
        step(f"writes {kind} {name}", lambda given=given: session.write(*given))
        step(f"reads {kind} {name} back", lambda given=given: session.read(*given))
    step("removes", lambda: session.ask("DELETE", "/Makefile.old", headers=MAC))


def _locked_write(session: Any, step: Any) -> None:
    made = step("locks", lambda: session.ask("LOCK", "/paper.docx", LOCK, {**MAC, "Depth": "0"}))
    token = made.headers["Lock-Token"].strip("<>") if made is not None else "opaquelocktoken:none"
    for name, condition in {
        "a token": f"(<{token}>)",
        "a token and a tag": f'(<{token}> ["etag-1"]) (Not <DAV:no-lock>)',
        "a tagged list": f"<{session.url}/paper.docx> (<{token}>)",
    }.items():
        step(
            f"writes under {name}",
            lambda condition=condition: session.ask(
                "PUT", "/paper.docx", b"PK\x03\x04 text", {**MAC, "If": condition}, (201, 204, 412)
            ),
        )
    step(
        "unlocks",
        lambda: session.ask("UNLOCK", "/paper.docx", headers={"Lock-Token": f"<{token}>"}),
    )


class _Session:
    """Requests to one share."""

    def __init__(self, url: str) -> None:
        import requests

        self.url = url
        self.session = requests.Session()

    def ask(
        self,
        method: str,
        path: str,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        allowed: tuple[int, ...] = (200, 201, 204, 207),
    ) -> Any:
        from urllib.parse import quote

        target = self.url + quote(path, safe="/~$!'()*+,;=:@")
        answer = self.session.request(method, target, data=data, headers=headers, timeout=30)
        assert answer.status_code in allowed, f"{answer.status_code} {answer.text[:200]}"
        return answer

    def write(self, name: str, content: bytes) -> None:
        self.ask("PUT", "/" + name, content, MAC)

    def read(self, name: str, content: bytes) -> None:
        assert self.ask("GET", "/" + name).content == content, "other bytes came back"

    def move(self, name: str, target: str) -> None:
        self._to("MOVE", name, target)

    def copy(self, name: str, target: str) -> None:
        self._to("COPY", name, target)

    def _to(self, method: str, name: str, target: str) -> None:
        from urllib.parse import quote

        headers = {**MAC, "Destination": f"{self.url}/{quote(target)}", "Overwrite": "T"}
        self.ask(method, "/" + name, headers=headers)


def _litmus(url: str, folder: Path, step: Any) -> None:
    """The protocol's own tests; each is a step."""
    ran = subprocess.run(
        ["litmus", "-k", url + "/"],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    group = ""
    for line in ran.stdout.splitlines():
        group = found[1] if (found := re.match(r"-> running `(\w+)'", line)) else group
        if result := re.match(r"\s*(\d+)\. (\w+)\.+ (pass|FAIL|WARNING|SKIPPED)", line):
            number, name, outcome = result.groups()

            def told(line: str = line, outcome: str = outcome) -> None:
                assert outcome != "FAIL", line

            step(f"litmus {group} {number} {name}", told)
