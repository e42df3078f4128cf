"""Pieces that view the features as a matrix, and the models that are fitted on it."""

import os
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

THREADS = int(os.environ.get("OMP_NUM_THREADS") or max(1, (os.cpu_count() or 1) // 2))


def tree_table(features: pd.DataFrame) -> Any:
    """Return the numbers as trees like them: gaps stay gaps."""
    return features.select_dtypes("number").to_numpy(np.float32)


def linear_table(features: pd.DataFrame) -> Any:
    """Return the numbers as sums like them: few values become switches, gaps the median, all scaled."""
    numbers = features.select_dtypes("number")
    few = [n for n in numbers.columns if 3 <= numbers[n].nunique() <= 12]
    switches = pd.get_dummies(numbers[few].astype(str), dtype=float)
    rest = numbers.fillna(numbers.median()).fillna(0.0)
    skewed = [n for n in rest.columns if rest[n].abs().max() > 20 * (rest[n].abs().median() + 1)]
    rest[skewed] = np.sign(rest[skewed]) * np.log1p(rest[skewed].abs())
    table = np.hstack([rest.to_numpy(float), switches.to_numpy(float)])
    return np.clip(StandardScaler().fit_transform(table), -8, 8)


def pixel_table(features: pd.DataFrame) -> Any:
    """Return the points of the pictures alone, all on one scale, so that faint edges stay faint."""
    numbers = features.select_dtypes("number")
    points = numbers.loc[:, ~numbers.columns.str.startswith("profile ")].fillna(0.0).to_numpy(float)
    return (points - points.mean(axis=0)) / (points.std(axis=0).mean() + 1e-9)


def lightgbm_classifier(seed: int, **settings: Any) -> Any:
    """Return LightGBM, or scikit-learn's boosting where it cannot be loaded."""
    try:
        from lightgbm import LGBMClassifier
    except (ImportError, OSError):
        return boosting_classifier(seed, learning_rate=settings.get("learning_rate", 0.05))
    return LGBMClassifier(
        **{"n_estimators": 200, "learning_rate": 0.05, "num_leaves": 31, "verbose": -1} | settings,
        n_jobs=THREADS,
        random_state=seed,
    )


def lightgbm_regressor(seed: int, **settings: Any) -> Any:
    """Return LightGBM, or scikit-learn's boosting where it cannot be loaded."""
    try:
        from lightgbm import LGBMRegressor
    except (ImportError, OSError):
        return boosting_regressor(seed, learning_rate=settings.get("learning_rate", 0.05))
    return LGBMRegressor(
        **{"n_estimators": 200, "learning_rate": 0.05, "num_leaves": 31, "verbose": -1} | settings,
        n_jobs=THREADS,
        random_state=seed,
    )


def boosting_classifier(seed: int, **settings: Any) -> Any:
    """Return boosting over histograms."""
    return HistGradientBoostingClassifier(random_state=seed, **settings)


def boosting_regressor(seed: int, **settings: Any) -> Any:
    """Return boosting over histograms."""
    return HistGradientBoostingRegressor(random_state=seed, **settings)


def forest_classifier(seed: int, **settings: Any) -> Any:
    """Return a random forest."""
    filled = {"n_estimators": 200, "min_samples_leaf": 2} | settings
    return RandomForestClassifier(**filled, n_jobs=THREADS, random_state=seed)


def forest_regressor(seed: int, **settings: Any) -> Any:
    """Return a random forest."""
    filled = {"n_estimators": 150, "min_samples_leaf": 2, "max_features": 0.5} | settings
    return RandomForestRegressor(**filled, n_jobs=THREADS, random_state=seed)


def extra_trees_classifier(seed: int, **settings: Any) -> Any:
    """Return extremely randomised trees."""
    filled = {"n_estimators": 200, "min_samples_leaf": 2} | settings
    return ExtraTreesClassifier(**filled, n_jobs=THREADS, random_state=seed)


def extra_trees_regressor(seed: int, **settings: Any) -> Any:
    """Return extremely randomised trees."""
    filled = {"n_estimators": 200, "min_samples_leaf": 2, "max_features": 0.7} | settings
    return ExtraTreesRegressor(**filled, n_jobs=THREADS, random_state=seed)


def logistic_classifier(seed: int, **settings: Any) -> Any:
    """Return logistic regression."""
    filled = {"C": 1.0, "max_iter": 300, "tol": 1e-3} | settings
    return LogisticRegression(**filled, random_state=seed)


def ridge_regressor(seed: int, **settings: Any) -> Any:
    """Return ridge regression."""
    return Ridge(**{"alpha": 1.0} | settings, random_state=seed)


def bayes_classifier(seed: int, **settings: Any) -> Any:  # noqa: ARG001 - all models take a seed
    """Return multinomial naive Bayes."""
    return MultinomialNB(**{"alpha": 0.03} | settings)


def neighbours_classifier(seed: int, **settings: Any) -> Any:  # noqa: ARG001
    """Return a vote of the nearest neighbours."""
    return KNeighborsClassifier(**{"n_neighbors": 5, "weights": "distance"} | settings)


def neighbours_regressor(seed: int, **settings: Any) -> Any:  # noqa: ARG001
    """Return the mean of the nearest neighbours."""
    return KNeighborsRegressor(**{"n_neighbors": 8, "weights": "distance"} | settings)


def kernel_classifier(seed: int, **settings: Any) -> Any:
    """Return a support vector machine with a Gaussian kernel."""
    return SVC(**{"C": 5.0} | settings, random_state=seed)


def kernel_regressor(seed: int, **settings: Any) -> Any:  # noqa: ARG001
    """Return support vector regression with a Gaussian kernel."""
    return SVR(**{"C": 1.0, "epsilon": 0.02} | settings)


def network_classifier(seed: int, **settings: Any) -> Any:
    """Return a small neural network."""
    filled = {"hidden_layer_sizes": 64, "max_iter": 60, "early_stopping": True} | settings
    return MLPClassifier(**filled, random_state=seed)
