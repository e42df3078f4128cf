"""Pieces that make columns and matrices from text."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

Task = dict[str, Any]
TEXT = "all text"
WORDS_AND_MARKS = r"\w+|[^\w\s]"


def joined_texts(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return one column with all texts of a row."""
    joined = pd.Series("", index=rows.index)
    for name in task["texts"]:
        joined = joined + " " + rows[name].fillna("").astype(str)
    for name in task["lists"]:
        words = rows[name].map(
            lambda found: " ".join(map(str, found)) if isinstance(found, list) else ""
        )
        joined = joined + " " + words
    return pd.DataFrame({TEXT: joined.str.strip()})


def text_statistics(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Measure each text: length, words, capitals, punctuation, digits, links."""
    made = {}
    for name in task["texts"]:
        text = rows[name].fillna("").astype(str)
        length = text.str.len()
        words = text.str.count(r"\S+")
        made[f"{name} length"] = length
        made[f"{name} words"] = words
        made[f"{name} word length"] = length / (words + 1)
        for label, pattern in {
            "capitals": "[A-Z]",
            "digits": "[0-9]",
            "commas": ",",
            "semicolons": ";",
            "full stops": r"\.",
            "questions": r"\?",
            "exclamations": "!",
            "quotes": '"',
            "links": "http",
            "first person": r"(?i)\b(?:i|me|my)\b",
            "thanks": r"(?i)thank|please|appreciate",
        }.items():
            made[f"{name} {label}"] = text.str.count(pattern) / (length + 1)
    return pd.DataFrame(made, index=rows.index).astype(float)


def text_topics(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Reduce the words of all texts to twenty topics."""
    matrix = TfidfVectorizer(min_df=3, max_features=20000, sublinear_tf=True).fit_transform(
        joined_texts(rows, task)[TEXT]
    )
    topics = TruncatedSVD(min(20, matrix.shape[1] - 1), random_state=0).fit_transform(matrix)
    names = [f"topic {number}" for number in range(topics.shape[1])]
    return pd.DataFrame(topics, columns=names, index=rows.index)


def word_weights(features: pd.DataFrame) -> Any:
    """Return TF-IDF weights of words and pairs of words."""
    maker = TfidfVectorizer(
        ngram_range=(1, 2),
        min_df=2,
        sublinear_tf=True,
        token_pattern=WORDS_AND_MARKS,
        lowercase=False,
    )
    return sparse.csr_matrix(maker.fit_transform(features[TEXT]))


def word_counts(features: pd.DataFrame) -> Any:
    """Return the counts of words and pairs of words."""
    maker = CountVectorizer(ngram_range=(1, 2), min_df=2)
    return sparse.csr_matrix(maker.fit_transform(features[TEXT])).astype(float)


def single_words(features: pd.DataFrame) -> Any:
    """Return TF-IDF weights of single words."""
    maker = TfidfVectorizer(min_df=2, sublinear_tf=True)
    return sparse.csr_matrix(maker.fit_transform(features[TEXT]))


def letter_weights(features: pd.DataFrame) -> Any:
    """Return TF-IDF weights of runs of two to four letters inside words."""
    maker = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        min_df=3,
        sublinear_tf=True,
        max_features=60000,
        lowercase=False,
        dtype=np.float32,
    )
    return sparse.csr_matrix(maker.fit_transform(features[TEXT]))
