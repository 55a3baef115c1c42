"""The errors of the hub, the network and the disk, each as one sentence that says what to do. No torch here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.hub.hub_cache import cache_folder
from models.model_reference import full_source, name_or_source
from models.model_registry import ModelSpec


class HubError(RuntimeError):
    """A checkpoint cannot be downloaded. The message says, in one sentence, why and what to do."""


class PickledRepositoryError(HubError):
    """A checkpoint has only pickled weights; `Trust(pickles=True)` allows them."""


class DiskSpaceError(HubError):
    """A checkpoint does not fit on the disk of the cache."""


def download_command(spec: ModelSpec, cache: Path) -> str:
    """Return the command that downloads a model into `cache`, or continues to."""
    options = ["--cache", str(cache)] if cache != cache_folder() else []
    options += ["--allow-pickles"] if spec.trust.pickles else []
    options += ["--trust-remote-code"] if spec.trust.code else []
    return " ".join(["python -m models download", name_or_source(spec), *options])


@contextmanager
def explain_hub_errors(spec: ModelSpec, cache: Path) -> Iterator[None]:
    """Report what the hub, the network or the disk raises inside as a `HubError` of one sentence."""
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    source, command = full_source(spec), download_command(spec, cache)
    resume = f"the part that arrived is kept; continue with: {command}"
    try:
        yield
    except HubError:
        raise
    except OfflineModeIsEnabled:
        raise HubError(
            f"{source} is not complete in {cache}, and HF_HUB_OFFLINE forbids downloads; unset it and run: {command}"
        ) from None
    except GatedRepoError:
        raise HubError(
            f"{source} is gated; request access at {constants.ENDPOINT}/{spec.source}, then log in (hf auth login) or"
            " set HF_TOKEN"
        ) from None
    except RevisionNotFoundError:
        raise HubError(f"{source}: the repository has no revision {spec.revision!r}") from None
    except RepositoryNotFoundError:
        raise HubError(
            f"{source}: {constants.ENDPOINT} has no model of that name; if it is private, log in (hf auth login) or"
            " set HF_TOKEN"
        ) from None
    except HFValidationError as error:
        raise HubError(f"{source} is not a valid repository name: {error}") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        verb = "refuses" if status in (401, 403) else "answers"
        hint = "check HF_TOKEN" if status in (401, 403) else f"try again later: {command}"
        raise HubError(f"{source}: {constants.ENDPOINT} {verb} with status {status}; {hint}") from None
    except httpx2.ConnectError as error:
        raise HubError(
            f"{source}: cannot connect to {constants.ENDPOINT} ({_first_line(error)}); check the network"
        ) from None
    except httpx2.TimeoutException:
        raise HubError(
            f"{source}: no answer from {constants.ENDPOINT} for {constants.HF_HUB_DOWNLOAD_TIMEOUT} s; {resume}"
        ) from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise HubError(f"HF_ENDPOINT={constants.ENDPOINT} is not the address of a hub: {error}") from None
    except httpx2.TransportError as error:
        raise HubError(f"{source}: the connection dropped ({_first_line(error)}); {resume}") from None
    except LocalEntryNotFoundError as error:
        cause = error.__cause__ or error
        raise HubError(f"{source}: no answer from {constants.ENDPOINT} ({_first_line(cause)})") from None
    except (httpx2.HTTPError, ValueError, KeyError, AssertionError) as error:  # such as from a page that is not a hub's
        raise HubError(
            f"{source}: {constants.ENDPOINT} does not answer as a hub ({type(error).__name__}: {_first_line(error)})"
        ) from None
    except OSError as error:
        raise HubError(f"cannot write {source} to {cache}: {_first_line(error)}; {resume}") from error


def _first_line(error: BaseException) -> str:
    """Return the first line of an error's message, without the number that the system gives it."""
    return re.sub(r"\[Errno -?\d+\] ", "", (str(error).strip() or type(error).__name__).splitlines()[0])
