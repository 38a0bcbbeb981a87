"""What the demo bank's invented people and businesses are called, and chance that is the same everywhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Ada Aino Alba Amir Anneke Anton Beatriz Bela Bruno Carla Cem Chiara Daan Dagny Dario Edda Elif Emil "
    "Enzo Esra Fatma Femke Finn Frida Georgi Greta Hanna Hugo Ida Igor Ilse Ines Ivo Jana Jonas Juna Kaja "
    "Karim Lars Leila Lena Levin Lotte Luca Mads Maia Malte Marta Matteo Mila Mirko Nadia Nils Nora Olga "
    "Omar Otto Paula Pia Piet Rania Robin Rosa Sami Selma Signe Sofia Stefan Tarek Thea Tomas Ulla Vera "
    "Viktor Wanda Yara Zoe"
)
LAST_NAMES = _words(
    "Ahlgren Albers Amsel Arslan Bakker Bartos Becher Bellini Birkholz Bjornsen Brandt Castello Cermak "
    "Dahlke Demir Dorn Duarte Eckert Ekdahl Engel Falk Ferrante Fiedler Fontana Garant Gessner Gruber "
    "Haas Halvorsen Hartog Hellwig Holub Ivarsson Jansen Jelinek Kaya Kessel Kolar Kranz Laurent "
    "Lindqvist Lorenz Lund Marek Mertens Moreau Nagel Novak Nygard Oberlin Ostrowski Paulsen Petrov Quist "
    "Rademaker Rask Ribeiro Richter Rossi Sander Schilling Serrano Solberg Steen Tanner Thoma Toth Ulrich "
    "Urban Valk Vidal Vogt Weiler Winther Yilmaz Zeller Zimmer"
)
PLACES = _words(
    "Altstadt Bahnhof Birken Brunnen Eichen Elbufer Hafen Heide Kanal Kastanien Linden Markt Muehlen Nord "
    "Rathaus Ring Schleusen See Turm Ufer Wald Weiden Werft Wiesen"
)
TRADES = _words(
    "Bakery Bookshop Brewery Butcher Cinema Clinic Cycles Deli Dental Electrics Fitness Florist Garage "
    "Garden Grocery Hardware Hotel Joinery Kiosk Laundry Optics Pharmacy Pizzeria Plumbing Press Printing "
    "Restaurant Shoes Software Sports Stationery Supermarket Tailors Taxi Tea Textiles Toys Travel Wines "
    "Workshop"
)
COUNTRIES = ("DE", "DE", "DE", "DE", "DE", "DE", "AT", "NL", "PL", "IT", "FR", "TR", "ES", "DK", "CZ")


class Draw:
    """Seeded chance in integers. Only `getrandbits` is used: what else `random` offers may change with
    Python.
    """

    def __init__(self, seed: int) -> None:
        self._bits = random.Random(seed).getrandbits  # noqa: S311 - a demo is repeated, not guessed

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return (self._bits(32) * n) >> 32

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + ((self._bits(32) * (high - low + 1)) >> 32)

    def one_in(self, n: int) -> bool:
        """True once in n times."""
        return self.below(n) == 0

    def of(self, things: Sequence[Thing]) -> Thing:
        """One of them."""
        return things[(self._bits(32) * len(things)) >> 32]


def person_name(draw: Draw) -> str:
    """An invented person's name."""
    return f"{draw.of(FIRST_NAMES)} {draw.of(LAST_NAMES)}"


def business_name(draw: Draw) -> str:
    """An invented business's name."""
    return f"{draw.of(PLACES)} {draw.of(TRADES)}"
