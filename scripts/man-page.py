#!/usr/bin/env python3
"""Writes nacre.1 from the description of all verbs that the program gives of itself (JSON on standard input)."""

import json
import sys


def escape(text):
    """Text as roff: backslashes, hyphens and leading dots would be commands."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def names(argument):
    spelled = []
    for name in argument.get("names") or []:
        dashes = "-" if name["kind"] in ("short", "longWithSingleDash") else "--"
        spelled.append(dashes + name["name"])
    return sorted(spelled, key=len)


def options(command, out):
    for argument in command.get("arguments", []):
        if not argument.get("shouldDisplay", True):
            continue
        spelled = names(argument)
        value = argument.get("valueName") or ""
        out.append(".TP")
        if argument["kind"] == "positional":
            out.append(".I " + escape(value.upper()))
        else:
            tail = " \\fI" + escape(value) + "\\fR" if argument["kind"] == "option" else ""
            out.append("\\fB" + escape(", ".join(spelled)) + "\\fR" + tail)
        text = argument.get("abstract") or ""
        default = argument.get("defaultValue")
        if default:
            text += f" (default: {default})"
        out.append(escape(text) or "\\&")


def describe(command, path, out):
    out.append(f".SS \"{escape(' '.join(path))}\"")
    out.append(escape(command.get("abstract", "")))
    if command.get("discussion"):
        out.append(".PP")
        out.append(escape(command["discussion"]))
    options(command, out)
    for child in command.get("subcommands", []):
        if child["commandName"] != "help":
            describe(child, path + [child["commandName"]], out)


def main():
    root = json.load(sys.stdin)["command"]
    out = [
        ".TH NACRE 1",
        ".SH NAME",
        "nacre \\- " + escape(root["abstract"].rstrip(".")),
        ".SH SYNOPSIS",
        "\\fBnacre\\fR [\\fB\\-\\-data\\fR \\fIdir\\fR] \\fIverb\\fR ...",
        ".SH DESCRIPTION",
        escape(root.get("discussion", "")),
        ".SH OPTIONS",
    ]
    options(root, out)
    out.append(".SH VERBS")
    for child in root.get("subcommands", []):
        if child["commandName"] != "help":
            describe(child, ["nacre", child["commandName"]], out)
    out += [
        ".SH ENVIRONMENT",
        ".TP", "NACRE_DATA", "The data directory.",
        ".TP", "NACRE_SECTION_KEY", "Any setting; nacre config default lists them.",
        ".TP", "NO_COLOR", "If set, messages have no colours.",
        ".SH FILES",
        ".TP", "~/.local/share/nacre", "The default data directory.",
        ".TP", "nacre.toml", "Settings, in the data directory.",
    ]
    print("\n".join(out))


main()
