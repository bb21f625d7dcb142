"""Three spiral arms in the plane (Goldfeld et al. 2020, section VI).

Arm c turns by four radians from the centre to the edge, from the angle 2πc/3 on, and every point
is moved along its circle by Gaussian noise of 0.2 radian. The source gives neither the number of
points nor the exact curve; this is the form common in courses.
"""

import numpy as np

from ibcore.tasks.base import Task
from ibcore.tasks.teacher import gaussian

N_ARMS, N_POINTS = 3, 500
SPIRAL_KEY = 20200508


def load_spiral() -> Task:
    """500 points on each of three arms."""
    radius = np.tile(np.linspace(0, 1, N_POINTS), N_ARMS)
    arm = np.repeat(np.arange(N_ARMS), N_POINTS)
    angle = 2 * np.pi * arm / N_ARMS + 4 * radius + 0.2 * gaussian(SPIRAL_KEY, len(arm))
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return Task(
        name="spiral",
        x=x.astype(np.float32),
        y=arm.astype(np.int64),
        n_classes=N_ARMS,
        description="three spiral arms in the plane",
    )
