# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small line charts as SVG."""

import html
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 64, 150, 36, 48
COLOURS = ["#1b6ca8", "#d1495b", "#2e933c", "#8d6a9f", "#e39414", "#444444", "#17a2a2", "#9c4a1a"]


def ticks(lo, hi, log):
    """Round numbers from lo to hi, about five: (place on the axis, label)."""
    if log:
        every = max(1, round((hi - lo) / 6))
        powers = range(math.ceil(lo - 1e-9), math.floor(hi + 1e-9) + 1)
        if len(powers) > 1:
            return [(p, f"{10.0**p:g}") for p in powers if p % every == 0]
        return [(math.log10(v), f"{v:g}") for v in (m * 10.0**p for p in range(math.floor(lo), math.ceil(hi)) for m in (1, 2, 5)) if lo <= math.log10(v) <= hi]
    raw = (hi - lo) / 5
    unit = 10 ** math.floor(math.log10(raw))
    step = unit * min((1, 2, 5, 10), key=lambda m: abs(math.log(m * unit / raw)))
    return [(i * step, f"{i * step:.10g}") for i in range(math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9) + 1)]


class Chart:
    """Lines, or dots for what a formula is compared with, over x; both axes may be logarithmic."""

    def __init__(self, title, x, y, log_x=False, log_y=False):
        self.title, self.x, self.y, self.series = title, x, y, []
        self.scale_x, self.scale_y = (math.log10 if log else float for log in (log_x, log_y))
        self.log = log_x, log_y

    def line(self, name, x, y, dots=False):
        self.series.append((name, [self.scale_x(v) for v in x], [self.scale_y(v) for v in y], dots))

    def write(self, path):
        xs = [v for s in self.series for v in s[1]]
        ys = [v for s in self.series for v in s[2]]
        spans = [(min(v), max(v) if max(v) > min(v) else min(v) + 1) for v in (xs, ys)]
        margin = (spans[1][1] - spans[1][0]) / 20
        spans[1] = spans[1][0] - margin, spans[1][1] + margin
        place_x = lambda v: LEFT + (v - spans[0][0]) / (spans[0][1] - spans[0][0]) * (WIDTH - LEFT - RIGHT)
        place_y = lambda v: HEIGHT - BOTTOM - (v - spans[1][0]) / (spans[1][1] - spans[1][0]) * (HEIGHT - TOP - BOTTOM)
        out = [
            "<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception -->",
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        ]
        text = lambda x, y, t, anchor="middle", more="": out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{html.escape(t)}</text>')
        text(LEFT, 20, self.title, "start", ' font-size="14"')
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.x)
        text(14, HEIGHT / 2, self.y, more=f' transform="rotate(-90 14 {HEIGHT / 2})"')
        for axis, (lo, hi) in enumerate(spans):
            for v, label in ticks(lo, hi, self.log[axis]):
                if axis == 0:
                    text(place_x(v), HEIGHT - BOTTOM + 16, label)
                else:
                    text(LEFT - 6, place_y(v) + 4, label, "end")
                    out.append(f'<path d="M{LEFT} {place_y(v):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        for n, (name, x, y, dots) in enumerate(self.series):
            colour = COLOURS[n % len(COLOURS)]
            points = [f"{place_x(a):.1f} {place_y(b):.1f}" for a, b in zip(x, y)]
            if dots:
                out += [f'<circle cx="{p.split()[0]}" cy="{p.split()[1]}" r="2.5" fill="{colour}"/>' for p in points]
            else:
                out.append(f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            text(WIDTH - RIGHT + 10, TOP + 16 * n + 8, name, "start", f' fill="{colour}"')
        path.write_text("\n".join(out) + "\n</svg>\n")
