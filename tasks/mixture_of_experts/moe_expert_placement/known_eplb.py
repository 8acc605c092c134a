"""Replicas for the busiest experts, then longest first onto the least loaded device; nodes and transitions are ignored.

The flat policy of DeepSeek's expert-parallel load balancer, on the mean load of the last five windows.
"""

import numpy as np

WINDOWS = 5


def place(hist, trans, nodes, devices_per_node, slots, cost):
    devices = nodes * devices_per_node
    placement = []
    for load in hist[-WINDOWS:].mean(axis=0):
        replicas = np.ones(len(load), dtype=int)
        for _ in range(devices * slots - len(load)):
            replicas[np.where(replicas < devices, load / replicas, -1.0).argmax()] += 1
        placement.append(pack(load / replicas, replicas, devices, slots))
    return np.array(placement)


def pack(weight, replicas, devices, slots):
    held, total = [[] for _ in range(devices)], np.zeros(devices)
    for expert in np.argsort(-weight):
        for _ in range(replicas[expert]):
            lacking = [d for d in range(devices) if expert not in held[d]]
            free = [d for d in lacking if len(held[d]) < slots]
            device = min(free or lacking, key=lambda d: total[d])
            if not free:
                other = next(d for d in range(devices) if len(held[d]) < slots)
                moved = min((e for e in held[device] if e not in held[other]), key=lambda e: weight[e])
                held[device].remove(moved)
                held[other].append(moved)
                total[device], total[other] = total[device] - weight[moved], total[other] + weight[moved]
            held[device].append(expert)
            total[device] += weight[expert]
    return held
