#!/usr/bin/env python3
"""Checks that the modules of a crate do not use each other in circles.

A file uses another file if it names an item that the other file defines. An item that a `mod.rs` or `lib.rs` re-exports counts for the
file that defines it. Methods that are called through a value do not count, and neither do tests. A circle of two files in one folder is
allowed, because the two may be one idea. The script prints every other circle and exits with 1.
"""
import os
import re
import sys

# Every crate of the workspace but the benchmarks, whose crate is one file.
CRATES = [
    "core/calendar", "core/model", "core/engine", "core/language", "platform", "shard", "registry", "limiter", "dispatcher", "macros",
    "coordinator", "loadtest"]
LARGEST = 2  # files of one folder that may form a circle
ITEM = re.compile(
    r"^(?:pub(?:\([^)]*\))? )?(?:const |unsafe |async |extern \"C\" )*(?:fn|struct|enum|trait|type|const|static|union) (\w+)", re.M)
MACRO = re.compile(r"^macro_rules! (\w+)", re.M)
USE = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?use ([^;]+);", re.M)
PATH = re.compile(r"(?<![\w:])([a-z]\w*(?:::\w+)+)")


def text_of(path):
    """Returns the code of a file without comments on lines of their own and without its tests."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
    return re.split(r"^#\[cfg\(test\)\]\n(?:pub(?:\([^)]*\))? )?mod \w+ \{", text, flags=re.M)[0]


def leaves(tree):
    """Yields the paths of a `use` tree, each with the name that it introduces."""
    tree = tree.strip()
    found = re.match(r"^([\w:]*?)(?:::)?\{(.*)\}$", tree, re.S)
    if not found:
        path, _, name = tree.partition(" as ")
        path = path.strip()
        if path.endswith("::self"):
            path = path[:-6]
        yield path, name.strip() or path.split("::")[-1]
        return
    head, body, depth, item = found.group(1), found.group(2), 0, ""
    for char in body + ",":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            if item.strip():
                for path, name in leaves(item):
                    full = f"{head}::{path}" if head else path
                    yield (full[:-6] if full.endswith("::self") else full), name if path != "self" else head.split("::")[-1]
            item = ""
        else:
            item += char


class Crate:
    """The files of a crate, by the path of their module."""

    def __init__(self, root):
        self.root = root
        self.files, self.items, self.uses, self.texts = {}, {}, {}, {}
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not name.endswith(".rs") or name.endswith("_tests.rs") or name == "tests.rs" or "/tests/" in path:
                    continue
                module = os.path.relpath(path, root)[:-3].split(os.sep)
                if module[-1] in ("mod", "lib", "main"):
                    module = module[:-1]
                module = tuple(module)
                text = text_of(path)
                self.files[module], self.texts[module] = path, text
                self.items[module] = set(ITEM.findall(text)) | set(MACRO.findall(text))
                self.uses[module] = {
                    name: path for tree in USE.findall(text) for path, name in leaves(re.sub(r"\s+", " ", tree))}

    def absolute(self, path, module):
        """Returns the segments of a path from the root of the crate; None if it leads to another crate or to no module."""
        segments = path.split("::")
        if segments[0] == "crate":
            return segments[1:]
        if segments[0] not in ("self", "super"):
            # A child module, which needs no prefix.
            return [*module, *segments] if (*module, segments[0]) in self.files else None
        at = list(module)
        while segments and segments[0] in ("self", "super"):
            if segments[0] == "super":
                at = at[:-1]
            segments = segments[1:]
        return at + segments

    def defines(self, segments, depth=0):
        """Returns the module whose file defines what the path names; None if that is unknown."""
        for length in range(len(segments), -1, -1):
            module = tuple(segments[:length])
            if module not in self.files:
                continue
            if length == len(segments):
                return module
            name = segments[length]
            if name in self.items[module]:
                return module
            if name in self.uses[module] and depth < 8:
                used = self.absolute(self.uses[module][name], module)
                return self.defines([*used, *segments[length + 1:]], depth + 1) if used is not None else None
            return module
        return None

    def edges(self):
        """Returns for each module the modules that it uses."""
        edges = {module: set() for module in self.files}
        for module, text in self.texts.items():
            private = re.sub(r"^\s*pub(?:\([^)]*\))? use [^;]+;", "", text, flags=re.M)
            paths = [path for tree in USE.findall(private) for path, _ in leaves(re.sub(r"\s+", " ", tree))]
            paths += PATH.findall(re.sub(r"^\s*use [^;]+;", "", private, flags=re.M))
            for path in paths:
                segments = self.absolute(path, module)
                of = self.defines(segments) if segments is not None else None
                if of is not None and of != module:
                    edges[module].add(of)
        return edges


def circles(edges):
    """Returns the strongly connected components of more than one module, by Tarjan's algorithm."""
    index, low, stack, found = {}, {}, [], []
    sys.setrecursionlimit(10_000)

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in sorted(edges[module]):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            at = stack.index(module)
            if len(stack) - at > 1:
                found.append(stack[at:])
            del stack[at:]

    for module in sorted(edges):
        if module not in index:
            visit(module)
    return found


def main():
    failed = 0
    for name in CRATES:
        crate = Crate(os.path.join(name, "src"))
        edges = crate.edges()
        for circle in circles(edges):
            folders = {os.path.dirname(crate.files[module]) for module in circle}
            if len(circle) <= LARGEST and len(folders) == 1:
                continue
            failed += 1
            print(f"{name}: a circle of {len(circle)} files")
            for module in sorted(circle):
                used = sorted(crate.files[of] for of in edges[module] if of in circle)
                print(f"  {crate.files[module]} uses {', '.join(used)}")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
