"""Loss and learning rate."""

from __future__ import annotations

import numpy as np
import pytest

from converter.recipe import Training

tf = pytest.importorskip("tensorflow")


@pytest.mark.train
def test_a_missing_point_has_no_loss_and_no_gradient() -> None:
    from converter.optimization import masked_huber

    targets = tf.constant([[0.0, float("nan")], [1.0, float("nan")]])
    answers = tf.Variable([[0.5, 7.0], [1.0, -3.0]])

    with tf.GradientTape() as tape:
        loss = masked_huber(targets, answers, 10.0)
    gradient = tape.gradient(loss, answers).numpy()

    # Quadratic below delta: 0.5 * 0.5 ** 2 / 10, over two known coordinates.
    assert float(loss) == pytest.approx(0.5 * 0.25 / 10 / 2)
    assert gradient[:, 1].tolist() == [0, 0]
    assert gradient[0, 0] > 0


@pytest.mark.train
def test_a_batch_without_any_point_has_loss_zero() -> None:
    from converter.optimization import masked_huber

    loss = masked_huber(tf.constant([[float("nan")]]), tf.constant([[3.0]]), 1.0)

    assert float(loss) == 0


@pytest.mark.train
def test_the_learning_rate_warms_up_and_ends_near_zero() -> None:
    from converter.optimization import learning_rate_at

    training = Training(epochs=10, learning_rate=0.1, warmup_epochs=1.0)

    rates = np.array([learning_rate_at(training, step, 20) for step in range(200)])

    assert rates.argmax() in {19, 20}
    assert rates.max() == pytest.approx(0.1)
    assert rates[-1] < 0.0001
    assert (np.diff(rates[20:]) < 0).all()
