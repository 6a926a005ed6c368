"""Poly-encoders (Humeau et al. 2020) over a BERT: configuration, network, tokens, checkpoints, bank.

    text_encoder = TextEncoder(base_folder(), config)      # tokens
    network = checkpoints.fresh(config)                    # the base encoder and untrained codes
    ...                                                    # training changes some of its tensors
    checkpoints.save(folder, network, trained=["encoder.encoder.layer.5.", "codes"])
    network = checkpoints.load(folder)                     # as it will be served: after rounding to fp16
    bank.embed(network, text_encoder, texts, sources).save(folder)

Nothing that web processes import may import this package's modules, except ``config``: they load torch.
"""
