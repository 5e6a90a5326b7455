# SPDX-License-Identifier: MIT
"""The loss curve as an SVG picture, legible on light and on dark.

usage: curve.py LOSS.jsonl HELD_OUT_BITS OUT.svg
Training loss (with dropout, so it starts above), dev loss, and a line where
the finished model stands on the held-out slices; bits a byte over steps.
"""
import json
import sys

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 62, 20, 48, 52
STYLE = """
  svg { background: #fff; color: #222; font: 13px sans-serif }
  text { fill: currentColor }
  .axis { stroke: currentColor; fill: none }
  .grid { stroke: currentColor; opacity: .15 }
  .line { fill: none; stroke-width: 2 }
  .train { stroke: #b35900 } .dev { stroke: #1f6fb2 } .held { stroke: #2b8a3e }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181c; color: #ddd }
    .train { stroke: #ffa657 } .dev { stroke: #79c0ff } .held { stroke: #56d364 }
  }
"""


class Chart:
    """Maps steps and bits a byte to the drawing."""

    def __init__(self, steps, low, high):
        self.steps, self.low, self.high = steps, low, high

    def x(self, step):
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.steps

    def y(self, bits):
        share = (self.high - bits) / (self.high - self.low)
        return TOP + (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, share))

    def path(self, points, name):
        at = " ".join(f"{self.x(s):.1f},{self.y(b):.1f}" for s, b in points)
        return f'<polyline class="line {name}" points="{at}"/>'

    def axes(self):
        out = [f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}'
               f'H{WIDTH - RIGHT}"/>']
        for tenth in range(round(self.low * 10), round(self.high * 10) + 1):
            y = self.y(tenth / 10)
            out.append(f'<path class="grid" d="M{LEFT} {y:.1f}H'
                       f'{WIDTH - RIGHT}"/><text x="{LEFT - 8}" y="{y + 4:.1f}"'
                       f' text-anchor="end">{tenth / 10:.1f}</text>')
        for step in range(0, self.steps + 1, 200):
            out.append(f'<text x="{self.x(step):.1f}" y="{HEIGHT - BOTTOM + 20}"'
                       f' text-anchor="middle">{step}</text>')
        middle = (TOP + HEIGHT - BOTTOM) / 2
        out.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" '
                   'text-anchor="middle">training steps</text>')
        out.append(f'<text x="16" y="{middle}" text-anchor="middle" transform='
                   f'"rotate(-90 16 {middle})">bits a byte</text>')
        return out


def legend(entries):
    out, x = [], LEFT
    for name, text in entries:
        out.append(f'<path class="line {name}" d="M{x} 24h24"/>'
                   f'<text x="{x + 30}" y="28">{text}</text>')
        x += 50 + 7 * len(text)
    return out


def draw(log_path, held_out, out):
    with open(log_path, encoding="ascii") as file:
        rows = [json.loads(line) for line in file]
    chart = Chart(rows[-1]["step"], 1.0, 2.1)
    last = rows[-1]["dev"]
    y = chart.y(held_out)
    parts = [
        '<!-- SPDX-License-Identifier: MIT -->',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{HEIGHT}" role="img"><title>Loss of the tales model while it is '
        f'trained</title><style>{STYLE}</style>',
        *chart.axes(),
        f'<path class="line held" stroke-dasharray="6 4" d="M{LEFT} {y:.1f}H'
        f'{WIDTH - RIGHT}"/>',
        chart.path([(r["step"], r["train"]) for r in rows], "train"),
        chart.path([(r["step"], r["dev"]) for r in rows], "dev"),
        *legend([("train", "training text, with dropout"),
                 ("dev", f"dev slices, {last:.3f} at the end"),
                 ("held", f"held-out slices, {held_out:.3f}")]),
        "</svg>\n"]
    with open(out, "w", encoding="ascii") as file:
        file.write("\n".join(parts))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    draw(sys.argv[1], float(sys.argv[2]), sys.argv[3])
