"""Product pictures, drawn once per product and coloured per variant."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from msgspec import Struct

from sandbox.shop.bff import Variant


class Palette(Struct, frozen=True):
    """A material's colour, in light and in shade."""

    main: str
    shade: str
    light: str


_PALETTES = {
    "sand": Palette("#dcc9a8", "#b79f77", "#efe3cd"),
    "slate": Palette("#66707a", "#444d56", "#8d98a3"),
    "steel": Palette("#b4bbc0", "#858d93", "#e3e8eb"),
    "indigo": Palette("#3d4f86", "#293762", "#7586bd"),
    "natural": Palette("#d8ccb4", "#b3a485", "#f0e8d8"),
    "green": Palette("#3f7256", "#29523c", "#86b59b"),
    "grey": Palette("#8f9294", "#686b6d", "#bec1c2"),
    "brass": Palette("#c99b3f", "#94702a", "#efd08d"),
    "black": Palette("#3d3f42", "#222426", "#777b80"),
    "white": Palette("#f1efea", "#c2beb5", "#ffffff"),
    "moss": Palette("#6d7a45", "#4c572d", "#a2ae7b"),
    "rust": Palette("#b4532f", "#833718", "#de8a68"),
}
_PLAIN = _PALETTES["natural"]


class Pictures:
    """All drawings, read once."""

    def __init__(self) -> None:
        folder = files("sandbox.shop") / "drawings"
        self._drawings = {
            each.name.removesuffix(".svg"): Template(each.read_text("utf-8"))
            for each in folder.iterdir()
        }

    def draw(self, name: str, colour: str) -> str | None:
        """A drawing as SVG; None where there is none of that name."""
        palette = _PALETTES.get(colour, _PLAIN)
        drawing = self._drawings.get(name)
        if drawing is None:
            return None
        return drawing.substitute(main=palette.main, shade=palette.shade, light=palette.light)

    def address(self, variant: Variant) -> str:
        """Where a variant's picture is: our drawing, else the merchant's own, else a parcel."""
        if variant.images and not any(variant.sku.startswith(each) for each in self._drawings):
            return variant.images[0].url
        return self.path(variant.sku, variant.attribute("Color"))

    def path(self, sku: str, colour: str) -> str:
        """Where our drawing is of what has this SKU: a parcel where there is none."""
        name = next((each for each in self._drawings if sku.startswith(each)), "parcel")
        colour = colour.lower()
        return f"/pictures/{name}/{colour if colour in _PALETTES else 'plain'}.svg"

    def swatch(self, variant: Variant) -> str:
        """The class that shows a variant's colour."""
        colour = variant.attribute("Color").lower()
        return f"swatch-{colour}" if colour in _PALETTES else "swatch-plain"
