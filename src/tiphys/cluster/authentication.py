"""Everyone who can say who asks, put together: certificates, then tokens of every kind, in upstream's order
(k/k `pkg/kubeapiserver/authenticator/config.go`)."""

from __future__ import annotations

from pathlib import Path

from tiphys.api.service import Api
from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.bootstrap_token import BootstrapToken
from tiphys.auth.client_certificate import ClientCertificate
from tiphys.auth.contract import Authenticator
from tiphys.auth.last_used import LastUsed
from tiphys.auth.service_account_token import ServiceAccountToken
from tiphys.auth.token import TokenAuthenticator
from tiphys.auth.token_file import TokenFile
from tiphys.auth.token_request import TokenRequest
from tiphys.auth.token_review import TokenReview
from tiphys.auth.union import Union
from tiphys.cluster.failure import UsageFailure
from tiphys.pki.service_account_key import ServiceAccountKeys
from tiphys.pki.service_account_token import TokenSigner


def compose(
    api: Api, keys: ServiceAccountKeys, token_file: str = "", last_used: LastUsed | None = None
) -> Authenticator:
    """The authenticator of requests; the API is given its handlers of what is asked about tokens. `last_used` is
    told of secrets whose token is used.

    Raises UsageFailure for a token file that is none.
    """
    tokens: list[TokenAuthenticator] = [_token_file(Path(token_file))] if token_file else []
    tokens += [
        ServiceAccountToken(keys, api.reader, api.clock, api.minor, last_used=last_used),
        BootstrapToken(api.reader, api.clock),
    ]
    bearer = BearerToken(tokens)
    api.special["serviceaccounts", "token"] = TokenRequest(TokenSigner(keys)).handle
    api.special["tokenreviews.authentication.k8s.io", ""] = TokenReview(bearer).handle
    return Union([ClientCertificate(api.clock, minor=api.minor), bearer])


def _token_file(path: Path) -> TokenFile:
    try:
        return TokenFile.read(path)
    except (OSError, ValueError) as error:
        raise UsageFailure(f"--token-file {path}: {error}") from None
