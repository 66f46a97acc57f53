"""ADBench's hand: bones turned by angles, vertices carried by bones, and what is left to the points measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import graphc as gx
from tests.external.judging import ops


def hand_residuals(theta: Any, us: Any, data: Mapping[str, Any], model: Mapping[str, Any]) -> Any:
    """Points less their vertices, or less their places inside a triangle of vertices."""
    vertices = hand_vertices(theta, model)
    points = gx.const(data["pts"])
    if us is None:
        return points - ops.take(vertices, data["corr"], axis=0)
    a, b, c = (ops.take(vertices, model["tri"][data["corr"]][:, i], axis=0) for i in range(3))
    u, v = us[:, :1], us[:, 1:]
    return points - (u * a + v * b + (1 - u - v) * c)


def hand_vertices(theta: Any, model: Mapping[str, Any]) -> Any:
    """The vertices of the hand, turned, scaled and moved as a whole."""
    carriers = transforms(theta, model)
    weighted = ops.einsum("vb,bij,vj->vi", gx.const(model["W"]), carriers, gx.const(model["pos"]))[:, :3]
    turn = whole_rotation(theta[:3])
    return weighted @ ops.matrix_transpose(turn) + theta[3:6]


def transforms(theta: Any, model: Mapping[str, Any]) -> Any:
    """The transform of each bone: along the tree, then from its rest."""
    angles = bone_angles(theta, model["nb"])
    absolute: list[Any] = []
    for i, parent in enumerate(model["parents"]):
        own = gx.const(model["rel"][i]) @ framed(euler(*angles[i]))
        absolute.append(own if parent == -1 else absolute[parent] @ own)
    return ops.stack(absolute, axis=0) @ gx.const(model["inv"])


def bone_angles(theta: Any, bones: int) -> list[list[Any]]:
    """Three angles for each bone; a finger takes two at its root and one at each joint."""
    zero = gx.const(0.0, "float64")
    found = [[zero] * 3 for _ in range(bones)]
    at, row = 6, 2
    for _ in range(5):
        for joint in range(3):
            count = 2 if joint == 0 else 1
            found[row] = [theta[at + i] if i < count else zero for i in range(3)]
            at, row = at + count, row + 1
        row += 1
    return found


def matrix(rows: Any) -> Any:
    """A matrix of scalars."""
    return ops.stack([ops.stack(row, axis=0) for row in rows], axis=0)


def euler(x: Any, z: Any, y: Any) -> Any:
    """Turned about x, then y, then z."""
    one, zero = gx.const(1.0, "float64"), gx.const(0.0, "float64")
    (cx, sx), (cy, sy), (cz, sz) = ((ops.cos(a), ops.sin(a)) for a in (x, y, z))
    about_x = matrix([[one, zero, zero], [zero, cx, -sx], [zero, sx, cx]])
    about_y = matrix([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_z = matrix([[cz, -sz, zero], [sz, cz, zero], [zero, zero, one]])
    return about_z @ about_y @ about_x


def framed(turn: Any) -> Any:
    """A rotation as a matrix of four rows."""
    wide = ops.concat([turn, gx.const(np.zeros((3, 1)))], axis=1)
    return ops.concat([wide, gx.const(np.array([[0.0, 0.0, 0.0, 1.0]]))], axis=0)


def whole_rotation(vector: Any) -> Any:
    """Rodrigues: the rotation about a vector by its length."""
    length, zero = ops.sqrt(ops.sum(vector * vector)), gx.const(0.0, "float64")
    u, s, c = vector / length, ops.sin(length), ops.cos(length)
    skew = matrix([[zero, -u[2], u[1]], [u[2], zero, -u[0]], [-u[1], u[0], zero]])
    return ops.outer(u, u) * (1 - c) + gx.const(np.eye(3)) * c + skew * s
