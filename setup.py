"""The part of the package that is compiled, where that can be done; all else stands in `pyproject.toml`."""

import platform
import sys

from setuptools import Extension, setup

KERNELS = "src/leyenda/kernels"

# Threads are those of the OpenMP library that torch brings along: it is not linked here, and found when it is loaded.
kernels = Extension(
    "leyenda.kernels._compiled",
    sources=[f"{KERNELS}/{name}.c" for name in ("attention", "gradients", "processor", "row", "states")],
    depends=[
        f"{KERNELS}/{name}.h" for name in ("activations", "chance", "numbers", "powers", "processor", "tiles")
    ],
    extra_compile_args=["-O3", "-std=gnu11", "-Wall", "-Wextra", "-fopenmp"],
    libraries=["m"],
    optional=True,
)

suits = sys.platform == "linux" and platform.machine() == "x86_64"
setup(ext_modules=[kernels] if suits else [])
