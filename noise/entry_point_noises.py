"""Noises of other packages: the entry points of the group `noise.noises`, each loaded when its name is asked for.

    [project.entry-points."noise.noises"]
    weather = "weather_noise:WEATHER"

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

from noise.proposals import Noise

GROUP = "noise.noises"


def packaged_noise(name: str) -> Noise | None:
    """Return the noise that an installed package offers under `name`; None where no package does.

    Raises `ValueError`, naming the package, for one that cannot be loaded or that is no noise of that name.
    """
    from importlib.metadata import entry_points  # slow, and asked for unknown names alone

    for entry in entry_points(group=GROUP, name=name):
        package = entry.dist.name if entry.dist is not None else entry.module
        try:
            noise = entry.load()
        except Exception as error:  # whatever the code of a package raises
            raise ValueError(
                f"noise {name!r}: the package {package!r} cannot be loaded ({type(error).__name__}: {error})"
            ) from error
        if not isinstance(noise, Noise) or noise.name != name:
            got = f"one named {noise.name!r}" if isinstance(noise, Noise) else type(noise).__name__
            raise ValueError(f"noise {name!r}: expected a Noise of that name from the package {package!r}, got {got}")
        return noise
    return None
