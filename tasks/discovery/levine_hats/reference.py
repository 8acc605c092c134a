"""Optimal responses to the others' strategies, in turn, with restarts (Aravind and Abdellatif 2024, sections 4 and 5).

Given the strategies of the others and the value V of starting again, the best response is found block by block: for
everything that a player can see, the guess, or deferring, with the largest expected value. Players respond in turn
until V no longer grows. The responses are to random strategies and to random changes of the known one; starts defer on
all white, half of them also on all black, as the paper's strategies on blocks of three and five do.
"""

import numpy as np

RESTARTS = 80
ROUNDS = 12
GROWTH = 1e-12
CHANGED = 0.2


def strategies(h, players, p):
    rng = np.random.default_rng(0)
    game = Game(h, players, p)
    best, found = 0.0, []
    for number in range(RESTARTS):
        tables = game.start(rng, number % 2 == 1)
        value, tables = game.respond(tables)
        if value > best:
            best, found = value, tables
    return [table.ravel() for table in found]


class Game:
    """``hats`` (blocks, h) holds every block of hats, ``weights`` the probability of all players' blocks."""

    def __init__(self, h, players, p):
        self.h, self.players, self.p = h, players, p
        self.hats = (np.arange(2**h)[:, None] >> np.arange(h)) & 1
        self.own = np.prod(np.where(self.hats == 1, p, 1 - p), axis=1)
        self.weights = self.own
        for _ in range(players - 1):
            self.weights = np.multiply.outer(self.weights, self.own)

    def start(self, rng, known):
        """Random guesses, deferring where all hats seen are white, half of the time also where all are black.

        Of a ``known`` start most entries are those of the first place where all hats seen are black.
        """
        shape = (2**self.h,) * (self.players - 1)
        both, tables = rng.random() < 0.5, []
        for _ in range(self.players):
            table = rng.integers(0, self.h, shape)
            if known:
                table = np.where(rng.random(shape) < CHANGED, table, self.first_black())
            table.flat[0] = -1
            if both:
                table.flat[-1] = -1
            tables.append(table)
        return tables

    def first_black(self):
        common = np.indices((2**self.h,) * (self.players - 1))
        black = (np.bitwise_and.reduce(common)[..., None] >> np.arange(self.h)) & 1
        return np.where(black.any(axis=-1), black.argmax(axis=-1), -1)

    def respond(self, tables):
        """The value reached, and the tables."""
        value, last = 0.9 * self.p / (2 - self.p), 0.0
        for _ in range(ROUNDS):
            for player in range(self.players):
                tables[player] = self.best_response(tables, player, value)
                value = self.value(tables)
            if value <= last + GROWTH:
                break
            last = value
        return value, tables

    def value(self, tables):
        right, deferred = self.others(tables, None)
        return (self.weights * right)[~deferred].sum() / (1 - self.weights[deferred].sum())

    def best_response(self, tables, player, value):
        right, deferred = (np.moveaxis(part, player, 0) for part in self.others(tables, player))
        guesses = np.tensordot(self.hats.T * self.own, right, axes=1)
        again = np.tensordot(self.own, np.where(deferred, value, self.p * right), axes=1)
        choice = np.concatenate([guesses, again[None]]).argmax(axis=0)
        return np.where(choice == self.h, -1, choice)

    def others(self, tables, player):
        """Probability that all but ``player`` are right, and whether they all defer, for all blocks of all players."""
        shape = (2**self.h,) * self.players
        right, deferred = np.ones(shape), np.ones(shape, dtype=bool)
        for other, table in enumerate(tables):
            if other != player:
                success = np.where(table < 0, self.p, self.hats[:, table])
                right = right * np.moveaxis(success, 0, other)
                deferred = deferred & np.expand_dims(table < 0, other)
        return right, deferred
