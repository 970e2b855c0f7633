"""What kernels build out of structures: lists, chains, per-CPU variables.

One module for each kernel header, as in drgn. A helper is given objects and works on any kernel
whose objects have the members it needs: it looks for members, never for names of types.
"""
