"""From ParlAI's ``model.opt`` to a configuration; every option is read, required to be off, or known to be harmless.

The names are those of ParlAI's command line from version 0.1 (2020) to 1.7. No torch here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from modelhub.errors import CheckpointError
from modelhub.parlai.config import ParlaiConfig

MODELS = (
    "transformer/polyencoder",
    "parlai.agents.transformer.polyencoder:PolyencoderAgent",
    "internal:transformer/polyencoder",
)
#: ParlAI's option -> ours; where it is not given, ParlAI's default holds.
NAMES = {
    "embedding_size": "width",
    "n_layers": "layers",
    "n_heads": "heads",
    "ffn_size": "feed_forward",
    "variant": "variant",
    "activation": "activation",
    "embeddings_scale": "scaled_embeddings",
    "output_scaling": "output_scaling",
    "reduction_type": "candidate_reduction",
    "polyencoder_type": "view_type",
    "poly_n_codes": "views",
    "codes_attention_type": "code_attention",
    "codes_attention_num_heads": "code_heads",
    "poly_attention_type": "candidate_attention",
    "poly_attention_num_heads": "candidate_heads",
    "polyencoder_attention_keys": "attention_keys",
    "dict_lower": "lower",
    "dict_nulltoken": "padding",
    "dict_starttoken": "start",
    "dict_endtoken": "end",
    "dict_unktoken": "unknown",
}
REQUIRED = ("model", "embedding_size", "n_layers", "n_heads", "ffn_size", "dict_tokenizer")
#: Read by hand: they need more than another name.
READ = frozenset(
    """
    model n_encoder_layers n_positions n_segments share_encoders truncate text_truncate label_truncate
    fp16 force_fp16_tokens dict_tokenizer fixed_candidates_path
    """.split()
)
#: A history of fewer turns cuts talks of an ordinary length, which contexts here are not.
SHORTEST_HISTORY = 20
#: Options that change the input or the network in ways that are not built: what they must be.
MUST_BE: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "history_reversed": (lambda value: not value, "false"),
    "person_tokens": (lambda value: not value, "false"),
    "add_p1_after_newln": (lambda value: not value, "false"),
    "history_add_global_end_token": (lambda value: value is None, "null"),
    "special_tok_lst": (lambda value: not value, "null"),
    "bpe_add_prefix_space": (lambda value: not value, "false"),
    "delimiter": (lambda value: value == "\n", r"'\n'"),
    "use_reply": (lambda value: value in ("label", "model"), "label or model"),
    "history_size": (
        lambda value: isinstance(value, int) and (value < 0 or value >= SHORTEST_HISTORY),
        f"-1, or at least {SHORTEST_HISTORY}",
    ),
    "dict_max_ngram_size": (lambda value: isinstance(value, int) and value <= 1, "-1"),
    "dict_class": (
        lambda value: value in (None, "parlai.core.dict:DictionaryAgent"),
        "parlai.core.dict:DictionaryAgent",
    ),
    "polyencoder_image_encoder_num_layers": (lambda value: not value, "0"),
}
#: Options of ParlAI that change neither the network nor what it reads once it is trained: training, evaluation,
#: display, data sets, machines, and parts of other agents.
HARMLESS = frozenset(
    """
    adafactor_eps adam_eps attention_dropout batchsize betas checkpoint_activations data_parallel ddp_backend
    distributed_world_size dropout dynamic_batching embedding_projection embedding_type eval_batchsize
    eval_dynamic_batching fp16_impl gpu gradient_clip init_model invsqrt_lr_decay_gamma learn_embeddings
    learn_positional_embeddings learningrate load_from_checkpoint load_from_pretrained_ranker local_rank lr_scheduler
    lr_scheduler_decay lr_scheduler_patience max_lr_steps max_train_steps max_train_time model_parallel momentum
    multitask_weights nesterov no_cuda num_epochs num_workers numthreads nus optimizer port rank relu_dropout
    save_after_valid save_every_n_secs seed teacher_seed update_freq warmup_rate warmup_updates weight_decay
    candidates cap_num_predictions encode_candidate_vecs encode_candidate_vecs_batchsize eval_candidates
    fixed_candidate_vecs ignore_bad_candidates inference interactive_candidates interactive_mode rank_candidates
    rank_top_k repeat_blocking_heuristic return_cand_scores topk train_predict add_label_to_fixed_cands
    memory_attention n_decoder_layers normalize_sent_emb share_word_embeddings split_lines use_memories
    wrap_memory_encoder image_cropsize image_features_dim image_mode image_path image_size
    polyencoder_image_combination_mode polyencoder_image_features_dim
    bpe_debug bpe_dropout bpe_merge bpe_vocab dict_build_first dict_file dict_include_test dict_include_valid
    dict_initpath dict_language dict_loaded dict_maxexs dict_maxtokens dict_minfreq dict_textfields
    hf_skip_special_tokens
    aggregate_micro area_under_curve_class area_under_curve_digits clearml_log clearml_project_name
    clearml_task_name compute_tokenized_bleu display_add_fields display_examples display_ignore_fields
    display_partner_persona display_prettify display_verbose evaltask final_extra_opt get_all_metrics
    log_every_n_secs log_every_n_steps log_keep_fields loglevel metrics num_examples outfile report
    report_filename save_format save_world_logs short_final_eval show_advanced_args tensorboard_comment
    tensorboard_log tensorboard_logdir tensorboard_metrics tensorboard_tag validation_cutoff
    validation_every_n_epochs validation_every_n_secs validation_every_n_steps validation_max_exs
    validation_metric validation_metric_mode validation_patience validation_share_agent verbose wandb_entity
    wandb_log wandb_log_model wandb_name wandb_project world_logs
    allow_missing_init_opts datapath dataset datatype download_path helpall hide_labels init_opt interactive_task
    is_debug label_turns local_human_candidates_file model_file mutators override parlai_home selfchat_task
    single_turn starttime task batch_length_range batch_sort batch_sort_cache_type batch_sort_field context_length
    include_labels preprocess pytorch_context_length pytorch_datapath pytorch_include_labels pytorch_preprocess
    pytorch_teacher_batch_sort pytorch_teacher_dataset pytorch_teacher_task shuffle shuffle_seed
    add_missing_turns add_topic chosen_topic_delimiter conversation_history_length gold_knowledge_delimiter
    ignorant_dropout include_checked_sentence include_initial_utterances include_knowledge
    include_knowledge_separator include_personas label_type max_num_turns num_topics only_checked_knowledge
    prepend_gold_knowledge print_checked_sentence remove_political_convos safe_personas_only skip_no_title
    speaker_label teacher_type train_experiencer_only your_persona_first
    """.split()
)


def read(path: Path) -> dict[str, object]:
    """The options of a ``model.opt``. Raises CheckpointError, naming the file."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the options of a ParlAI model stand beside it.")
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: no JSON of options ({error}); fetch the model again.") from error
    if not isinstance(options, dict):
        raise CheckpointError(f"{path}: a JSON object of options is needed; fetch the model again.")
    return options


def to_config(
    options: Mapping[str, object], path: Path, *, vocabulary: int, segments: int, separate_encoders: bool
) -> ParlaiConfig:
    """The configuration of a dictionary of ``vocabulary`` tokens; ``segments`` and ``separate_encoders`` are as the
    weights have them.

    ParlAI makes two encoders whatever ``share_encoders`` says, and some versions make segment embeddings whatever
    ``n_segments`` says: the weights decide.
    Raises CheckpointError that names ``path`` and every option that is unknown or not supported.
    """
    check(options, path)
    given: dict[str, Any] = {
        ours: options[name] for name, ours in NAMES.items() if options.get(name) is not None
    }
    encoder_layers = _whole(options, "n_encoder_layers", -1, path)
    if encoder_layers > 0:
        given["layers"] = encoder_layers
    given |= {
        "vocabulary": vocabulary,
        "segments": segments or _whole(options, "n_segments", 0, path),
        "positions": _positions(options, path),
        "shared_encoder": bool(options.get("share_encoders")) and not separate_encoders,
        **_truncations(options, path),
    }
    try:
        return ParlaiConfig(**given)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def check(options: Mapping[str, object], path: Path) -> None:
    """Raises CheckpointError for options that are missing, unknown or not supported."""
    if missing := [name for name in REQUIRED if options.get(name) is None]:
        raise CheckpointError(f"{path}: {', '.join(missing)} not given; fetch the model again.")
    if options["model"] not in MODELS:
        raise CheckpointError(f"{path}: model is {options['model']!r}; only {MODELS[0]} can be imported.")
    if options["dict_tokenizer"] != "bpe":
        raise CheckpointError(
            f"{path}: dict_tokenizer is {options['dict_tokenizer']!r}; only bpe (subword-nmt) is built."
        )
    known = {*NAMES, *READ, *MUST_BE, *HARMLESS}
    if unknown := sorted(set(options) - known):
        raise CheckpointError(
            f"{path}: unknown options {', '.join(unknown)}. Where one changes neither the network nor what it "
            "reads, remove it from the file; else the model cannot be imported."
        )
    for name, (is_supported, needed) in MUST_BE.items():
        if name in options and not is_supported(options[name]):
            raise CheckpointError(
                f"{path}: {name} is {options[name]!r}, which is not supported: {needed} is needed."
            )


def _positions(options: Mapping[str, object], path: Path) -> int:
    """As ParlAI counts them: as given, else the longest truncation, else 1024."""
    lengths = [_whole(options, name, 0, path) for name in ("truncate", "text_truncate", "label_truncate")]
    return _whole(options, "n_positions", 0, path) or max([*lengths, 0]) or 1024


def _truncations(options: Mapping[str, object], path: Path) -> dict[str, int]:
    """Tokens that are kept; where ParlAI keeps all, what the positions hold."""
    positions = _positions(options, path)
    fallback = _whole(options, "truncate", -1, path)
    # ParlAI fails on a context that is longer than its positions, with start and end.
    room = {"text_truncate": positions - 2, "label_truncate": positions}
    found = {}
    for name, most in room.items():
        asked = _whole(options, name, 0, path) or fallback
        found[name] = min(asked, most) if asked >= 0 else most
    return found


def _whole(options: Mapping[str, object], name: str, default: int, path: Path) -> int:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise CheckpointError(f"{path}: {name} is {value!r}; a whole number is needed.")
    return value


def pads_dictionary(options: Mapping[str, object]) -> bool:
    """Whether ParlAI adds tokens to the dictionary until their number is a multiple of eight."""
    return bool(options.get("fp16") or options.get("force_fp16_tokens"))
