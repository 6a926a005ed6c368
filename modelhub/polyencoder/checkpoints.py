"""Model folders: ``config.json`` to read and ``weights.safetensors`` with what differs from the base encoder.

config.json: ``{"format": 1, "kind": "polyencoder" or "manager", "base_sha256", "trained": [prefixes],
"options"}``. A whole model needs no base: its weights are all there, ``encoder/`` has the architecture and the
vocabulary as a base's folder has them, and "base_sha256" is empty.
Weights are kept in half precision, so a network that was saved and loaded differs by rounding from the one that
was trained: embed the bank with the loaded one. Only safetensors is ever read: a pickled file can run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from modelhub.errors import CheckpointError
from modelhub.polyencoder import base as base_encoder
from modelhub.polyencoder.config import ManagerConfig, PolyEncoderConfig
from modelhub.polyencoder.manager import SkillClassifier
from modelhub.polyencoder.network import PolyEncoder
from modelhub.polyencoder.tokens import TextEncoder

CONFIG, WEIGHTS = "config.json", "weights.safetensors"
#: A whole model's own architecture and vocabulary.
ENCODER = "encoder"
FORMAT = 1
#: Tensors that the base does not have; always stored.
OWN = {"polyencoder": ("codes",), "manager": ("head.",)}
CONFIGS: dict[str, type[PolyEncoderConfig | ManagerConfig]] = {
    "polyencoder": PolyEncoderConfig,
    "manager": ManagerConfig,
}


def fresh(config: PolyEncoderConfig, base: Path | None = None, *, scratch: bool = False) -> PolyEncoder:
    """An untrained poly-encoder on its own copy of the base's tensors, in training mode, to be trained.

    ``scratch`` takes the base's architecture alone, and random tensors.
    """
    network = _fresh(config, base or base_encoder.base_folder(), scratch)
    assert isinstance(network, PolyEncoder)
    return network.train()


def fresh_manager(
    config: ManagerConfig, base: Path | None = None, *, scratch: bool = False
) -> SkillClassifier:
    """An untrained dialogue manager; otherwise as ``fresh``."""
    network = _fresh(config, base or base_encoder.base_folder(), scratch)
    assert isinstance(network, SkillClassifier)
    return network.train()


def save(
    folder: Path, network: PolyEncoder | SkillClassifier, trained: Sequence[str], base: Path | None = None
) -> None:
    """Write config.json and weights.safetensors; ``trained`` are prefixes of the tensors to store.

    Raises CheckpointError when a tensor outside ``trained`` differs from the base: it would be lost.
    """
    base = base or base_encoder.base_folder()
    kind = "polyencoder" if isinstance(network, PolyEncoder) else "manager"
    prefixes = tuple(dict.fromkeys([*trained, *OWN[kind]]))
    tensors = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    _refuse_unsaved_changes(folder, tensors, prefixes, base)
    _write(folder, network, kind, tensors, prefixes, base_encoder.fingerprint(base))


def save_whole(folder: Path, network: PolyEncoder | SkillClassifier, text_encoder: TextEncoder) -> None:
    """Write a model that needs no base: what was trained from end to end. Raises CheckpointError."""
    kind = "polyencoder" if isinstance(network, PolyEncoder) else "manager"
    tensors = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    prefixes = tuple(
        dict.fromkeys([*(name.partition(".")[0] + "." for name in tensors if "." in name), *OWN[kind]])
    )
    (folder / ENCODER).mkdir(parents=True, exist_ok=True)
    (folder / ENCODER / "config.json").write_text(network.encoder.config.to_json_string())
    text_encoder.save(folder / ENCODER)
    _write(folder, network, kind, tensors, prefixes, "")


def encoder_folder(folder: Path, base: Path | None = None) -> Path:
    """Where a model's architecture and vocabulary are: in its own folder when it is whole, else with the base.

    Raises CheckpointError.
    """
    if not _described(folder / CONFIG)["base_sha256"]:
        return folder / ENCODER
    return base or base_encoder.base_folder()


def _write(
    folder: Path,
    network: PolyEncoder | SkillClassifier,
    kind: str,
    tensors: dict[str, Tensor],
    prefixes: tuple[str, ...],
    base_sha256: str,
) -> None:
    stored = {
        name: t.to(torch.float16).contiguous() for name, t in tensors.items() if name.startswith(prefixes)
    }
    if broken := [name for name, tensor in stored.items() if not tensor.isfinite().all()]:
        raise CheckpointError(
            f"{folder}: {broken[0]} is not finite in half precision; train with a lower rate."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, stored)
    described = {
        "format": FORMAT,
        "kind": kind,
        "base_sha256": base_sha256,
        "trained": list(prefixes),
        "options": network.config.as_dict(),
    }
    (folder / CONFIG).write_text(json.dumps(described, indent=2) + "\n")


def load(
    folder: Path,
    base: Path | None = None,
    *,
    share: bool = False,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> PolyEncoder:
    """The folder's poly-encoder, in evaluation mode.

    ``share`` uses the process's one copy of the base's tensors, for serving; without it the network can be
    trained further. Raises CheckpointError, naming the file, for anything that does not fit exactly.
    """
    network = _load(folder, "polyencoder", base, share, device, dtype)
    assert isinstance(network, PolyEncoder)
    return network


def load_manager(
    folder: Path,
    base: Path | None = None,
    *,
    share: bool = False,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> SkillClassifier:
    """The folder's dialogue manager, in evaluation mode; otherwise as ``load``."""
    network = _load(folder, "manager", base, share, device, dtype)
    assert isinstance(network, SkillClassifier)
    return network


def kind(folder: Path) -> str:
    """What config.json says that a folder holds; nothing where it cannot be read, which loading explains."""
    try:
        described = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError):
        return ""
    return str(described.get("kind", "")) if isinstance(described, dict) else ""


def read_config(folder: Path) -> PolyEncoderConfig:
    """How the folder's poly-encoder is configured. Raises CheckpointError."""
    described = _described(folder / CONFIG)
    _check_kind(folder / CONFIG, described, "polyencoder")
    return PolyEncoderConfig.from_dict(described["options"], str(folder / CONFIG))  # type: ignore[arg-type]


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_tensors(path: Path, device: str = "cpu") -> dict[str, Tensor]:
    """A safetensors file's tensors. Raises CheckpointError for any other kind of file."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; only safetensors files are read, never pickled ones.")
    try:
        return load_file(path, device=device)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path}: no safetensors file ({error}). Pickled weights are never read: convert them first."
        ) from error


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file that the umask alone protects; the library's own would be its owner's alone.

    Raises CheckpointError when it cannot be written; a file that was there before stays.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(to_bytes(tensors, metadata))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path}: could not be written ({error}); make room on the disk, or name another folder."
        ) from error


def read_metadata(path: Path) -> dict[str, str]:
    """The notes in a safetensors file's header; read after ``read_tensors`` has accepted the file."""
    with safe_open(path, "pt") as file:
        return file.metadata() or {}


def _fresh(
    config: PolyEncoderConfig | ManagerConfig, base: Path, scratch: bool
) -> PolyEncoder | SkillClassifier:
    if not scratch:
        return _build(config, base, share=False)
    network = _empty(config, base)
    drawn = base_encoder.random_encoder(base).state_dict()
    for encoder in _encoders(network):
        # Both encoders begin alike, as they do on a base.
        encoder.load_state_dict({name: tensor.clone() for name, tensor in drawn.items()}, assign=True)
        base_encoder.place_buffers(encoder, "cpu")
    return network


def _load(
    folder: Path, kind: str, base: Path | None, share: bool, device: str, dtype: torch.dtype
) -> PolyEncoder | SkillClassifier:
    described = _described(folder / CONFIG)
    _check_kind(folder / CONFIG, described, kind)
    config = CONFIGS[kind].from_dict(described["options"], str(folder / CONFIG))  # type: ignore[arg-type]
    delta = read_tensors(folder / WEIGHTS, device)
    if described["base_sha256"]:
        base = base or base_encoder.base_folder()
        _check_base(folder / CONFIG, described, base)
        network = _build(config, base, share=share, device=device, dtype=dtype)
    else:
        network = _empty(config, folder / ENCODER)
    trained: Sequence[str] = described["trained"]  # type: ignore[assignment]
    _check_names(folder / WEIGHTS, network, delta, (*trained, *OWN[kind]))
    _assign(network, {name: _cast(name, tensor, dtype) for name, tensor in delta.items()})
    if not described["base_sha256"]:
        for encoder in _encoders(network):
            base_encoder.place_buffers(encoder, device)
    return network.eval().requires_grad_(not share)


def _described(path: Path) -> dict[str, object]:
    """What config.json says, with exactly its keys."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: a model's folder holds {CONFIG} and {WEIGHTS}.")
    try:
        described = json.loads(path.read_text())
    except ValueError as error:
        raise CheckpointError(f"{path}: no JSON ({error}); save the model again.") from error
    expected = {"format", "kind", "base_sha256", "trained", "options"}
    if not isinstance(described, dict) or set(described) != expected:
        raise CheckpointError(
            f"{path}: the keys must be {', '.join(sorted(expected))}; save the model again."
        )
    return described


def _check_kind(path: Path, described: dict[str, object], kind: str) -> None:
    if described["format"] != FORMAT or described["kind"] != kind:
        raise CheckpointError(
            f"{path}: a {described['kind']} of format {described['format']} came; "
            f"a {kind} of format {FORMAT} is needed. Name another folder, or save the model again."
        )


def _check_base(path: Path, described: dict[str, object], base: Path) -> None:
    if described["base_sha256"] != base_encoder.fingerprint(base):
        raise CheckpointError(
            f"{path}: made against another base encoder than the one in {base}; "
            "set BASE_ENCODER to that one, or train the model again."
        )


def _empty(config: PolyEncoderConfig | ManagerConfig, base: Path) -> PolyEncoder | SkillClassifier:
    """The network with the base's architecture; the encoders' tensors are still to be assigned."""
    network: PolyEncoder | SkillClassifier
    if isinstance(config, ManagerConfig):
        network = SkillClassifier(config, base_encoder.empty_encoder(base))
    else:
        separate = None if config.shared_encoder else base_encoder.empty_encoder(base)
        network = PolyEncoder(config, base_encoder.empty_encoder(base), separate)
    _check_lengths(config, network, base)
    return network


def _build(
    config: PolyEncoderConfig | ManagerConfig,
    base: Path,
    *,
    share: bool,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> PolyEncoder | SkillClassifier:
    """A network on the base's tensors: the process's own ones, or copies of them."""
    network = _empty(config, base)
    tensors = base_encoder.state(base, device, dtype)
    for encoder in _encoders(network):
        given = tensors if share else {name: tensor.clone() for name, tensor in tensors.items()}
        try:
            encoder.load_state_dict(given, assign=True)
        except RuntimeError as error:
            said = " ".join(str(error).split())
            raise CheckpointError(
                f"{base}: the weights do not fit config.json ({said}); set BASE_ENCODER to a BERT encoder."
            ) from error
        base_encoder.place_buffers(encoder, device)
    return network.to(device)


def _encoders(network: PolyEncoder | SkillClassifier) -> list[nn.Module]:
    encoders = [network.encoder]
    if isinstance(network, PolyEncoder) and not network.config.shared_encoder:
        encoders.append(network.own_candidate_encoder)
    return encoders


def _check_lengths(config: PolyEncoderConfig | ManagerConfig, network: nn.Module, base: Path) -> None:
    longest = network.encoder.config.max_position_embeddings
    asked = max(config.text_truncate, getattr(config, "label_truncate", 0))
    if asked > longest:
        raise CheckpointError(f"{asked} tokens configured, but {base} reads {longest}; truncate earlier.")


def _check_names(path: Path, network: nn.Module, delta: dict[str, Tensor], prefixes: tuple[str, ...]) -> None:
    """Exactly the tensors that config.json promises, in exactly the network's shapes."""
    shapes = {name: tuple(t.shape) for name, t in network.state_dict().items() if name.startswith(prefixes)}
    if missing := sorted(set(shapes) - set(delta)):
        raise CheckpointError(
            f"{path}: {_some(missing)} missing, though {CONFIG} names it; save the model again."
        )
    if unknown := sorted(set(delta) - set(shapes)):
        raise CheckpointError(
            f"{path}: {_some(unknown)} came, which {CONFIG} does not name; save the model again."
        )
    for name, tensor in delta.items():
        if tuple(tensor.shape) != shapes[name]:
            raise CheckpointError(
                f"{path}: {name} is {tuple(tensor.shape)}, but {CONFIG} asks for {shapes[name]}; "
                "correct the options, or train again."
            )


def _assign(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Replace parameters without writing into them: the old tensors may be shared with other networks."""
    for name, tensor in tensors.items():
        owner_name, _, own_name = name.rpartition(".")
        setattr(network.get_submodule(owner_name), own_name, nn.Parameter(tensor))


def _cast(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """The encoder's precision for its tensors; codes and heads stay in float32."""
    return tensor.to(dtype if name.startswith(("encoder.", "own_candidate_encoder.")) else torch.float32)


def _refuse_unsaved_changes(
    folder: Path, tensors: dict[str, Tensor], prefixes: tuple[str, ...], base: Path
) -> None:
    original = base_encoder.state(base)
    changed = [
        name
        for name, tensor in tensors.items()
        if not name.startswith(prefixes)
        and not torch.equal(tensor.float(), original[name.partition(".")[2]].float())
    ]
    if changed:
        raise CheckpointError(
            f"{folder}: {_some(changed)} differs from the base and would be lost; "
            "name its prefix in `trained`."
        )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"{listed[0]} and {len(listed) - 1} more"
