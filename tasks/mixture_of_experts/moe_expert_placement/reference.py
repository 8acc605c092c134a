"""Hierarchical placement with replicas and affinity, the load balancing that the survey (Liu et al. 2024) describes.

A layer at a time, from an exponentially weighted mean of the last windows' loads: experts go to nodes, the most loaded
first, to the node from which most of their tokens come among those with room and without overload; within a node every
spare slot gives a replica to the expert with most load a replica; replicas go, the heaviest first, to the least loaded
device of the node that does not hold that expert yet (where none has room, an expert is moved to make some).
"""

import numpy as np

FORGET = 0.7
OVERLOAD = 1.05


def place(hist, trans, nodes, devices_per_node, slots, cost):
    weights = FORGET ** np.arange(len(hist))[::-1]
    load = np.tensordot(weights / weights.sum(), hist, axes=1)
    placement, home = [], None
    for layer in range(len(load)):
        mass = np.zeros((len(load[layer]), nodes))
        if home is not None:
            mass = trans[layer - 1].T @ np.eye(nodes)[home]
        home = to_nodes(load[layer], mass, nodes)
        devices = []
        for node in range(nodes):
            experts = np.flatnonzero(home == node)
            devices += within_node(experts, load[layer][experts], devices_per_node, slots)
        placement.append(devices)
    return np.array(placement)


def to_nodes(load, mass, nodes):
    """The node of each expert, equally many on each."""
    home, total, count = np.zeros(len(load), dtype=int), np.zeros(nodes), np.zeros(nodes, dtype=int)
    for expert in np.argsort(-load):
        room = count < len(load) // nodes
        light = room & (total + load[expert] <= OVERLOAD * load.sum() / nodes)
        if light.any():
            node = int(np.where(light, mass[expert] - 1e-9 * total, -np.inf).argmax())
        else:
            node = int(np.where(room, total, np.inf).argmin())
        home[expert], total[node], count[node] = node, total[node] + load[expert], count[node] + 1
    return home


def within_node(experts, load, devices, slots):
    replicas = np.ones(len(experts), dtype=int)
    for _ in range(devices * slots - len(experts)):
        replicas[np.where(replicas < devices, load / replicas, -1.0).argmax()] += 1
    held, total = [[] for _ in range(devices)], np.zeros(devices)
    for weight, expert in sorted(zip(load / replicas, range(len(experts)), strict=True), reverse=True):
        for _ in range(replicas[expert]):
            lacking = [d for d in range(devices) if expert not in held[d]]
            free = [d for d in lacking if len(held[d]) < slots]
            device = min(free or lacking, key=lambda d: total[d])
            if not free:
                total += make_room(held, device, load / replicas, slots)
            held[device].append(expert)
            total[device] += weight
    return [experts[each] for each in held]


def make_room(held, device, weights, slots):
    """Move the lightest possible expert from a full device to one with a free slot; returns the change of the loads."""
    other = next(d for d in range(len(held)) if len(held[d]) < slots)
    moved = min((e for e in held[device] if e not in held[other]), key=lambda e: weights[e])
    held[device].remove(moved)
    held[other].append(moved)
    change = np.zeros(len(held))
    change[device], change[other] = -weights[moved], weights[moved]
    return change
