"""What the hub, the network and the disk answer with, each in one sentence that says what to do. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.hub.hub_cache import cache_folder
from models.model_registry import ModelSpec, address, known_as


class HubError(RuntimeError):
    """A checkpoint could not be had from the hub. The message says why, in one sentence, and what to do."""


def again_for(spec: ModelSpec, place: Path) -> str:
    """The command that fetches a model into the cache `place`, or goes on with it."""
    options = ["--cache", str(place)] if place != cache_folder() else []
    options += ["--allow-pickles"] if spec.trust.pickles else []
    options += ["--trust-remote-code"] if spec.trust.code else []
    return " ".join(["python -m models download", known_as(spec), *options])


@contextmanager
def explained(spec: ModelSpec, place: Path) -> Iterator[None]:
    """Inside, whatever the hub, the network or the disk answers with is a `HubError`, in one sentence."""
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

    where, again = address(spec), again_for(spec, place)
    try:
        yield
    except HubError:
        raise
    except OfflineModeIsEnabled:
        raise HubError(
            f"{where} is not all in {place}, and HF_HUB_OFFLINE forbids to ask for it; unset it, and: {again}"
        ) from None
    except GatedRepoError:
        raise HubError(
            f"{where} is gated: ask to be let in at {constants.ENDPOINT}/{spec.source}, then log in (hf auth login) or"
            " set HF_TOKEN"
        ) from None
    except RevisionNotFoundError:
        raise HubError(f"{where}: the repository has no revision {spec.revision!r}") from None
    except RepositoryNotFoundError:
        raise HubError(
            f"{where}: {constants.ENDPOINT} has no model of that name; if it is a private one, log in (hf auth login)"
            " or set HF_TOKEN"
        ) from None
    except HFValidationError as error:
        raise HubError(f"{where} is no name of a repository: {error}") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        what = "refuses" if status in (401, 403) else "answers"
        hint = "is HF_TOKEN right?" if status in (401, 403) else f"try again later: {again}"
        raise HubError(f"{where}: {constants.ENDPOINT} {what} with status {status}; {hint}") from None
    except httpx2.ConnectError as error:
        raise HubError(f"{where}: no way to {constants.ENDPOINT} ({error}); is there a network?") from None
    except httpx2.TimeoutException:
        raise HubError(
            f"{where}: {constants.ENDPOINT} has not answered for {constants.HF_HUB_DOWNLOAD_TIMEOUT} s;"
            f" what has arrived is kept, so go on with: {again}"
        ) from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise HubError(f"HF_ENDPOINT={constants.ENDPOINT} is no address of a hub: {error}") from None
    except httpx2.TransportError as error:
        raise HubError(
            f"{where}: the line dropped ({error}); what has arrived is kept, so go on with: {again}"
        ) from None
    except LocalEntryNotFoundError as error:
        cause = error.__cause__ or error
        raise HubError(f"{where}: no answer from {constants.ENDPOINT} ({_first_line(cause)})") from None
    except (httpx2.HTTPError, ValueError, KeyError, AssertionError) as error:  # as from a page that is no hub's
        raise HubError(
            f"{where}: {constants.ENDPOINT} does not answer as a hub ({type(error).__name__}: {_first_line(error)})"
        ) from None
    except OSError as error:
        raise HubError(
            f"{where} could not be kept in {place}: {_first_line(error)}; what has arrived is kept, so mend that and go"
            f" on with: {again}"
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
