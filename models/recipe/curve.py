# SPDX-License-Identifier: MIT
"""The loss curve as an SVG picture, legible on light and on dark.

usage: curve.py LOSS.jsonl HELD_OUT_BITS OUT.svg
Training loss (with dropout, so it starts above), dev loss, and a line where
the finished model stands on the held-out slices; bits a byte over steps.
"""
import json
import sys

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 62, 28, 48, 52
COLOURS = {             # on light, on dark
    "train": ("#b35900", "#ffa657"),
    "dev": ("#1f6fb2", "#79c0ff"),
    "held": ("#2b8a3e", "#56d364"),
}
LIGHT, DARK = ("#fff", "#222"), ("#16181c", "#ddd")     # ground, ink


def style():
    """What a viewer that asks for dark gets instead of the attributes."""
    ground, ink = DARK
    rules = [f"rect {{ fill: {ground} }}", f"text {{ fill: {ink} }}",
             f".ink {{ stroke: {ink} }}"]
    rules += [f".{n} {{ stroke: {dark} }}" for n, (_, dark) in COLOURS.items()]
    return "@media (prefers-color-scheme: dark) { " + " ".join(rules) + " }"


def curve(name):
    return (f'class="{name}" stroke="{COLOURS[name][0]}" stroke-width="2" '
            'fill="none"')


def text(x, y, content, anchor="middle", extra=""):
    return (f'<text x="{x:.0f}" y="{y:.0f}" fill="{LIGHT[1]}" '
            f'text-anchor="{anchor}"{extra}>{content}</text>')


def rule(d, opacity):
    return (f'<path class="ink" stroke="{LIGHT[1]}" fill="none" '
            f'stroke-opacity="{opacity}" d="{d}"/>')


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
        return f'<polyline {curve(name)} points="{at}"/>'

    def axes(self):
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        out = [rule(f"M{LEFT} {TOP}V{bottom}H{right}", 1)]
        for tenth in range(round(self.low * 10), round(self.high * 10) + 1):
            y = self.y(tenth / 10)
            out.append(rule(f"M{LEFT} {y:.1f}H{right}", 0.15))
            out.append(text(LEFT - 8, y + 4, f"{tenth / 10:.1f}", "end"))
        for step in range(0, self.steps + 1, 200):
            out.append(text(self.x(step), bottom + 20, step))
        middle = (TOP + bottom) / 2
        out.append(text(WIDTH / 2, HEIGHT - 10, "training steps"))
        out.append(text(16, middle, "bits a byte", extra=' transform='
                        f'"rotate(-90 16 {middle:.0f})"'))
        return out


def legend(entries):
    out, x = [], LEFT
    for name, words in entries:
        out.append(f'<path {curve(name)} d="M{x} 24h24"/>')
        out.append(text(x + 30, 28, words, "start"))
        x += 50 + 7 * len(words)
    return out


def draw(log_path, held_out, out):
    with open(log_path, encoding="ascii") as file:
        rows = [json.loads(line) for line in file]
    chart = Chart(rows[-1]["step"], 1.0, 2.1)
    last = rows[-1]["dev"]
    y = chart.y(held_out)
    parts = [
        "<!-- SPDX-License-Identifier: MIT -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{HEIGHT}" role="img" font-family="sans-serif" font-size="13">',
        "<title>Loss of the tales model while it is trained</title>",
        f"<style>{style()}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{LIGHT[0]}"/>',
        *chart.axes(),
        f'<path {curve("held")} stroke-dasharray="6 4" d="M{LEFT} {y:.1f}H'
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
