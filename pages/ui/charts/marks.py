"""Dashes and shapes that tell lines and points apart without their colour."""

DASHES = ([1, 0], [8, 3], [2, 2], [12, 3, 2, 3], [5, 2], [8, 2, 2, 2, 2, 2], [3, 4], [14, 4])
CIRCLE, SQUARE = "M-1,0A1,1,0,1,0,1,0A1,1,0,1,0,-1,0Z", "M-.9,-.9H.9V.9H-.9Z"
PLUS = "M-1,-.4H-.4V-1H.4V-.4H1V.4H.4V1H-.4V.4H-1Z"
UP, DOWN = "M0,-1L1,.8H-1Z", "M0,1L1,-.8H-1Z"
LEFT, RIGHT = "M-1,0L.8,-1V1Z", "M1,0L-.8,-1V1Z"
STAR = "M0,-1L.29,-.4L.95,-.31L.48,.15L.59,.81L0,.5L-.59,.81L-.48,.15L-.95,-.31L-.29,-.4Z"
SHAPES = (CIRCLE, SQUARE, PLUS, UP, DOWN, LEFT, RIGHT, STAR)  # paths in a square from −1 to 1
PENTAGON = "M0,-1L.95,-.31L.59,.81L-.59,.81L-.95,-.31Z"
CROSS = "M-1,-1L1,1M-1,1L1,-1"
