"""What a student shall compute: the vectors of its teacher, turned to where it already looks.

Cosines are all that ranks, and a rotation changes none of them.
"""

import numpy as np

from seealso.encoder import fit_projection
from seealso.types import Vector


def targets(teacher: Vector, student: Vector) -> Vector:
    """Return the teacher's vectors in the student's space.

    A wider teacher is cut to its leading directions; what is left is turned by the rotation that
    brings it closest to the student (Schoenemann 1966, "A generalized solution of the orthogonal
    Procrustes problem").

    Parameters
    ----------
    teacher
        Unit vectors of the texts, shape (n, t).
    student
        Unit vectors of the same texts before the student learns, shape (n, s).

    Returns
    -------
    Vector
        Unit vectors, shape (n, s). Their cosines are the teacher's if t <= s.
    """
    width = student.shape[1]
    if teacher.shape[1] > width:
        teacher = fit_projection(teacher, whiten=False, dimension=width).apply(teacher)
    left, _, right = np.linalg.svd(teacher.T @ student, full_matrices=False)
    return np.ascontiguousarray(teacher @ (left @ right), dtype=np.float32)
