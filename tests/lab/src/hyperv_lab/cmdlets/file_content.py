# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in files: Get-Content, Set-Content, Get-FileHash, with the encodings of Windows PowerShell 5.1."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..engine.errors import NotSimulated, PSError
from ..engine.registry import Bound, Cmdlet, Context, cmdlet
from ..engine.values import CUSTOM, I64, Byte, Noted, PSArray, PSObj, base, text
from ..model import windows_paths as win
from ..model.files import FileError
from .core import items_of
from .file_errors import AUTOMATION, exception_of, full_id, made, provider_error
from .file_paths import existing, given, target_path, volumes_of
from .file_shapes import path_notes
from .files import refuse_unsupported

ANSI = "cp1252"
ENCODINGS = {
    "default": ANSI,
    "string": "utf-16-le",
    "unicode": "utf-16-le",
    "unknown": "utf-16-le",
    "bigendianunicode": "utf-16-be",
    "utf8": "utf-8",
    "utf7": "utf-7",
    "utf32": "utf-32-le",
    "bigendianutf32": "utf-32-be",
    "ascii": "ascii",
    "oem": "cp437",
}
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WRITTEN_BOMS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
CHUNK = 1 << 20
HASHES = {"sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512", "md5": "MD5"}


def encoding_of(args: Bound) -> str:
    return text(args.get("Encoding")).lower() or "default"


def decode(data: bytes, encoding: str) -> str:
    """Text of a file: a byte order mark decides, else the encoding asked for, else the ANSI code page."""
    for bom, name in BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(name, "replace")
    return data.decode(ENCODINGS[encoding], "replace")


def _lines(content: str) -> list[str]:
    lines = re.split(r"\r\n|\n|\r", content)
    if lines[-1] == "":
        lines.pop()
    return lines


# ---- Get-Content


class Block(Noted):
    """Bytes read at once, as an array that is only made when somebody looks into it."""

    __slots__ = ("_made", "_typed", "raw")

    def __init__(self, raw: bytes, notes: dict[str, Any], typed: bool) -> None:
        self.raw = raw
        self.notes = notes
        self._typed = typed
        self._made: Any = None

    @property
    def value(self) -> Any:
        if self._made is None:
            kind = "System.Byte[]" if self._typed else "System.Object[]"
            self._made = self.raw if self._typed else PSArray((Byte(one) for one in self.raw), kind)
        return self._made


def _read_error(ctx: Context, error: FileError) -> PSError:
    exception, message = exception_of(error)
    kinds = {
        "System.UnauthorizedAccessException": ("UnauthorizedAccessError", "PermissionDenied"),
        "System.IO.FileNotFoundException": ("FileNotFoundError", "ObjectNotFound"),
        "System.IO.DirectoryNotFoundException": ("DirectoryNotFoundError", "ObjectNotFound"),
        "System.IO.PathTooLongException": ("PathTooLongError", "InvalidArgument"),
        "System.ArgumentException": ("ArgumentError", "InvalidArgument"),
    }
    suffix, category = kinds.get(exception, ("IOError", "ReadError"))
    found = made(ctx, error, "GetContentReader" + suffix, category, exception, message)
    found.target = error.path
    return found


@cmdlet("Get-Content")
async def get_content(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    refuse_unsupported(ctx, args, "Filter", "Delimiter", "Wait")
    if "TotalCount" in args and "Tail" in args:
        raise PSError(
            "The parameters TotalCount and Tail cannot be used together. Please specify only one parameter.",
            full_id(ctx, "TailAndHeadCannotCoexist"),
            "InvalidOperation",
            "System.InvalidOperationException",
        )
    if args.get("TotalCount") == 0:
        return
    for path in existing(ctx, args):
        try:
            data = volumes_of(ctx).read(path)
        except FileError as error:
            ctx.write_error(_read_error(ctx, error))
            continue
        for item in _content(ctx, args, path, data):
            yield item


def _content(ctx: Context, args: Bound, path: str, data: bytes) -> Iterator[Any]:
    notes = path_notes(ctx, path)
    encoding = encoding_of(args)
    if args.switch("Raw"):
        if data:
            whole: Any = data if encoding == "byte" else decode(data, encoding)
            yield _noted(whole, notes, 1)
        return
    read: Any = data if encoding == "byte" else _lines(decode(data, encoding))
    if "Tail" in args:
        read = read[max(0, len(read) - args["Tail"]) :]
    typed = ctx.host.rules.content_blocks_are_byte_arrays
    yield from _blocks(args, read, notes, typed)


def _noted(value: Any, notes: dict[str, Any], count: int) -> Noted:
    if isinstance(value, bytes):
        return Block(value, {**notes, "ReadCount": I64(count)}, typed=False)
    return Noted(value, {**notes, "ReadCount": I64(count)})


def _blocks(args: Bound, read: Any, notes: dict[str, Any], typed: bool) -> Iterator[Any]:
    """One by one, or -ReadCount at a time (0: all at once), until -TotalCount."""
    size, total = args.get("ReadCount", 1), args.get("TotalCount", -1)
    at = 0
    while at < len(read) and (total < 0 or at < total):
        step = size
        if total > 0 and (step == 0 or total - step < at):
            step = total - at
        block = read[at : at + step] if step > 0 else read[at:]
        at += len(block)
        if size == 1:
            yield Noted(Byte(block[0]) if isinstance(block, bytes) else block[0], {**notes, "ReadCount": I64(at)})
        elif isinstance(block, bytes):
            yield Block(block, {**notes, "ReadCount": I64(at)}, typed)
        else:
            yield Noted(PSArray(block), {**notes, "ReadCount": I64(at)})


# ---- Set-Content


@cmdlet("Set-Content")
class SetContent(Cmdlet):
    """All that comes through the pipeline is written into the files, which are emptied first."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._pieces: list[Any] = []
        self._paths: list[str] | None = None

    def process(self, args: Bound) -> Iterator[Any]:
        refuse_unsupported(self.ctx, args, "Filter", "PassThru")
        if self._paths is None:
            self._paths = list(self._open(args))
        for value in args["Value"] if args["Value"] is not None else [None]:
            self._pieces += items_of(value)
        return iter(())

    def end(self, args: Bound) -> Iterator[Any]:
        data = self._encode(args)
        for path in self._paths or ():
            try:
                volumes_of(self.ctx).write(path, data)
            except FileError as error:
                self.ctx.write_error(self._write_error(error))
        return iter(())

    def _open(self, args: Bound) -> Iterator[str]:
        volumes = volumes_of(self.ctx)
        for value, literal in given(args):
            path = target_path(self.ctx, value)
            if path is None:
                continue
            if not literal and win.INVALID.search(path[2:].replace('"', "")):
                raise NotSimulated("Set-Content -Path with a pattern")
            if not self.ctx.should_process(f"Path: {path}", "Set Content"):
                continue
            try:
                self._empty(volumes.full(path), args)
                yield path
            except FileError as error:
                if volumes.exists(path):
                    raise provider_error(self.ctx, error, "ClearContent") from error
                self.ctx.write_error(self._writer_error(error))

    def _empty(self, path: str, args: Bound) -> None:
        """Before the first byte is written the file is there, and empty."""
        volumes = volumes_of(self.ctx)
        if args.switch("Force") and volumes.exists(path) and not volumes.is_dir(path):
            volumes.set_attributes(path, volumes.attributes(path) - {"ReadOnly", "Hidden"})
        volumes.write(path, b"")

    def _encode(self, args: Bound) -> bytes:
        encoding = encoding_of(args)
        if encoding == "byte":
            return bytes(self._byte(piece) for piece in self._pieces)
        name = ENCODINGS[encoding]
        newline = "" if args.switch("NoNewline") else "\r\n"
        content = "".join(text(base(piece)) + newline for piece in self._pieces)
        bom = WRITTEN_BOMS.get(name, b"")
        return bom + content.encode(name, "replace")

    def _byte(self, piece: Any) -> int:
        piece = base(piece)
        if isinstance(piece, int) and not isinstance(piece, bool) and 0 <= piece <= 255:
            return int(piece)
        raise PSError(
            "Cannot proceed with byte encoding. When using byte encoding the content must be of type byte.",
            full_id(self.ctx, "ProviderContentWriteError"),
            "InvalidArgument",
            AUTOMATION + "PSArgumentException",
            piece,
        )

    def _writer_error(self, error: FileError) -> PSError:
        found = _read_error(self.ctx, error)
        found.error_id = found.error_id.replace("GetContentReader", "GetContentWriter")
        if found.category == "ReadError":
            found.category = "WriteError"
        return found

    def _write_error(self, error: FileError) -> PSError:
        """Small contents reach the disk when the file is closed."""
        exception, message = exception_of(error)
        found = made(self.ctx, error, "ProviderContentCloseError", "NotSpecified", exception, message)
        found.target = error.path
        return found


# ---- Get-FileHash


@cmdlet("Get-FileHash")
async def get_file_hash(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if "InputStream" in args:
        raise NotSimulated("Get-FileHash -InputStream")
    algorithm = text(args.get("Algorithm") or "SHA256")
    if algorithm.lower() not in HASHES:
        raise NotSimulated(f"Get-FileHash -Algorithm {algorithm}")
    for path in _resolved(ctx, args):
        if volumes_of(ctx).is_dir(path):
            continue
        try:
            digest = await _digest(ctx, path, algorithm.lower())
        except FileError as error:
            ctx.write_error(_unread(ctx, error))
            return
        notes = {"Algorithm": HASHES[algorithm.lower()], "Hash": digest, "Path": path}
        yield PSObj(["Microsoft.Powershell.Utility.FileHash", CUSTOM, "System.Object"], notes=notes)


def _resolved(ctx: Context, args: Bound) -> Iterator[str]:
    """Get-FileHash is a function in 5.1: what is not there is reported by the Resolve-Path inside it."""

    def report(error: PSError) -> None:
        error.error_id = error.error_id.partition(",")[0] + ",Microsoft.PowerShell.Commands.ResolvePathCommand"
        error.activity = "Resolve-Path"
        ctx.write_error(error)

    return existing(ctx, args, report=report)


def _unread(ctx: Context, error: FileError) -> PSError:
    _, message = exception_of(error)
    return PSError(
        f"The file '{error.path}' cannot be read: {message}",
        full_id(ctx, "FileReadError"),
        "ReadError",
        "Microsoft.PowerShell.Commands.WriteErrorException",
        error.path,
    )


async def _digest(ctx: Context, path: str, algorithm: str) -> str:
    """Read at the speed of the host's disk, so that hashing a large file takes its time."""
    volumes = volumes_of(ctx)
    volumes.check_readable(path)
    size = volumes.size(path)
    found = hashlib.new(algorithm)
    with volumes.using(path), volumes.map(path).open("rb") as file:

        def read(offset: int, length: int) -> None:
            found.update(file.read(length))

        transfers = getattr(ctx.host, "transfers", None)
        if transfers is not None and size > CHUNK:
            await transfers.transfer((ctx.host.disk,), size, read, lambda length: None)
        else:
            read(0, size)
    return found.hexdigest().upper()
