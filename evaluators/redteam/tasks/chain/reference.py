def turn(n):
    return n**0.5
