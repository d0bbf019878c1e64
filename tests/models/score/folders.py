"""Change the tokenizer of a tiny policy's folder."""


def change_tokenizer(folder, change, *, begins=None, ends=None):
    """Load, change, save; `begins` and `ends` are tokens that the tokenizer is to put around every text."""
    from tokenizers import processors
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if change is not None:
        change(tokenizer)
    if begins or ends:
        parts = [part for part in (begins, "$A", ends) if part]
        marks = [(token, tokenizer.convert_tokens_to_ids(token)) for token in (begins, ends) if token]
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=" ".join(parts), special_tokens=marks
        )
        if begins:
            tokenizer.bos_token = begins
    tokenizer.save_pretrained(folder)
