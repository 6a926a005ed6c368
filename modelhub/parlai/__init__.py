"""Poly-encoders that ParlAI trained (``transformer/polyencoder``), run exactly as ParlAI runs them.

    stored = checkpoint.read(folder)                # model, model.opt, model.dict, model.dict.codecs
    importing.convert(folder, out, bank=None)       # the same in this project's format, with its bank
    network, text_encoder = storage.load(out)       # as it will be served

Padding changes results where it does in ParlAI: networks come to the same figures, not to better ones.
Nothing that web processes import may import this package's modules, except ``zoo``: they load torch.
"""
