"""What a person may do with the store: put a bundle in, choose another one, go back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_runtime.bundle import SUMS_FILE, Bundle, builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.errors import BundleError, ContractError, ModelError, StoreError
from edge_runtime.model_store.layout import SHIPPED, Choice, ModelStore
from edge_runtime.model_store.proof import Prove, prove
from edge_runtime.model_store.versions import label_of, precedence, split_label
from edge_runtime.signature import TrustedKeys


@dataclass(frozen=True)
class Change:
    """What a change did."""

    kind: ModelKind
    label: str
    """NAME-VERSION of the bundle that it was about."""
    choice: Choice
    """Which bundles are in use now."""


@dataclass(frozen=True)
class Changer:
    """Changes a store. Every bundle that becomes active was proven in a child process first."""

    store: ModelStore
    keys: TrustedKeys | None = None
    """Whose signatures are asked for; None = digests alone decide."""
    prove: Prove = prove

    def install(self, source: Path, *, activate: bool = True, allow_downgrade: bool = False) -> Change:
        """Put a bundle into the store.

        Args:
            source: folder or .emodel file.
            activate: use it from the next start or reload on.
            allow_downgrade: take a lower version than the highest that is there.

        Raises:
            BundleError: damaged, or its self-test failed.
            SignatureError: not signed with a trusted key.
            ContractError: not what this runtime expects, or no higher version.
            StoreError: the store cannot be written.
        """
        bundle = load_bundle(source, keys=self.keys)
        kind, label = bundle.manifest.kind, label_of(bundle.manifest.name, bundle.manifest.version)
        with self.store.locked():
            installed = self._is_installed(bundle, label)
            if not allow_downgrade and not (installed and self._is_active(kind, label)):
                self._refuse_lower(bundle, label)
            if not installed:
                staged = self.store.stage(label, bundle.files)
                self._require_proof(staged, called=source)
                self.store.adopt(staged, kind)
            elif activate:
                self._require_proof(self.store.folder(kind, label), called=source)
            return Change(kind, label, self._activated(kind, label) if activate else self.store.choice(kind))

    def activate(self, wanted: str) -> Change:
        """Use an installed or a shipped bundle.

        Args:
            wanted: NAME for the highest version of it that is there, or NAME@VERSION.

        Raises:
            StoreError: there is no such bundle, or the store cannot be written.
            ModelError: its digest, its signature or its self-test failed.
        """
        with self.store.locked():
            kind, label = self._found(wanted)
            self._require_usable(kind, label)
            return Change(kind, label, self._activated(kind, label))

    def roll_back(self, kind: ModelKind) -> Change:
        """Use the bundle that was active before; there is one step back, not two.

        Raises:
            StoreError: nothing was active before, or the store cannot be written.
            ModelError: the digest, signature or self-test of the previous one failed.
        """
        with self.store.locked():
            choice = self.store.choice(kind)
            if choice.previous is None:
                raise StoreError(
                    f"{self.store.root}: no {kind} model to go back to, {choice.active} is active and nothing was "
                    f"before; name one with `emotion-edge model activate`"
                )
            self._require_usable(kind, choice.previous)
            now = Choice(active=choice.previous)
            self.store.choose(kind, now)
            return Change(kind, choice.active, now)

    def _is_installed(self, bundle: Bundle, label: str) -> bool:
        """Whether the same bundle is there and whole; another one of that version is refused, a damaged one is not."""
        path = self.store.folder(bundle.manifest.kind, label)
        if not path.exists():
            return False
        try:
            there = load_bundle(path, keys=self.keys)
        except ModelError:
            return False
        if there.files[SUMS_FILE] != bundle.files[SUMS_FILE]:
            raise ContractError(
                f"{bundle.path}: {label} is installed already with other content; give the new one a higher version"
            )
        return True

    def _is_active(self, kind: ModelKind, label: str) -> bool:
        try:
            return self.store.choice(kind).active == label
        except StoreError:
            return False  # damaged: this change mends it

    def _refuse_lower(self, bundle: Bundle, label: str) -> None:
        manifest = bundle.manifest
        there = [split_label(other) for other in self.store.installed(manifest.kind) if other != label]
        shipped = load_bundle(builtin_bundle_path(manifest.kind)).manifest
        versions = [version for name, version in filter(None, there) if name == manifest.name]
        versions += [shipped.version] if shipped.name == manifest.name else []
        highest = max(versions, key=precedence, default=None)
        if highest is not None and precedence(manifest.version) <= precedence(highest):
            raise ContractError(
                f"{bundle.path}: version {manifest.version} of {manifest.name}, expected one above {highest}, which is "
                f"there; give it a higher version, or say --allow-downgrade"
            )

    def _require_usable(self, kind: ModelKind, label: str) -> None:
        if label == SHIPPED:
            return
        path = self.store.folder(kind, label)
        require_label(load_bundle(path, kind=kind, keys=self.keys), label)
        self._require_proof(path, called=path)

    def _require_proof(self, path: Path, *, called: Path) -> None:
        problem = self.prove([path]).get(path)
        if problem:
            raise BundleError(f"{called}: refused by its self-test: {problem.replace(str(path), str(called))}")

    def _activated(self, kind: ModelKind, label: str) -> Choice:
        try:
            before = self.store.choice(kind)
        except StoreError:
            before = Choice()  # damaged: this change mends it
        if before.active == label:
            return before
        now = Choice(active=label, previous=before.active)
        self.store.choose(kind, now)
        return now

    def _found(self, wanted: str) -> tuple[ModelKind, str]:
        name, _, version = wanted.partition("@")
        there: list[tuple[ModelKind, str, str]] = []
        for kind in SHIPPED_KINDS:
            shipped = load_bundle(builtin_bundle_path(kind)).manifest
            there.append((kind, SHIPPED, f"{shipped.name}-{shipped.version}"))
            there += [(kind, label, label) for label in self.store.installed(kind)]
        fitting = [
            (precedence(parts[1]), kind, label)
            for kind, label, shown in there
            if (parts := split_label(shown)) and parts[0] == name and version in {"", parts[1]}
        ]
        if not fitting:
            known = ", ".join(sorted("@".join(split_label(shown) or ()) for _, _, shown in there))
            raise StoreError(f"{self.store.root}: no model {wanted}; there are {known}")
        _, kind, label = max(fitting)
        return kind, label


def require_label(bundle: Bundle, label: str) -> None:
    """Refuse a folder that holds another bundle than its name says, for instance an older one that is signed too."""
    found = f"{bundle.manifest.name}-{bundle.manifest.version}"
    if found != label:
        raise BundleError(f"{bundle.path}: holds {found}, expected {label}; install {label} again")
